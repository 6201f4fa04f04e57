#include "node/runtime/network_statements_file.hpp"

#include <algorithm>
#include <array>

#include "node/runtime/statement_json.hpp"
#include "protocol/network_statements.hpp"

namespace unlearn::runtime {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;

constexpr std::string_view kNetworkFileSchema = "unlearnd network statements 1";
constexpr std::array<std::string_view, 3> kKinds{"membership", "revocation", "succession"};

json file_time(WallTime time) {
    return time.time_since_epoch().count();
}

/// Forgets what a check found besides that it went well.
template <typename T>
Result<void> only_checked(const Result<T>& checked) {
    if (!checked) return tl::unexpected(checked.error());
    return {};
}

Result<void> check_statement(const NetworkId& network, const NetworkFileStatement& statement) {
    switch (statement.kind) {
        case NetworkFileKind::membership:
            return only_checked(verify_term_membership(network, statement.statement));
        case NetworkFileKind::revocation:
            return only_checked(verify_revocation(network, statement.statement));
        case NetworkFileKind::succession:
            return only_checked(verify_succession(network, statement.statement));
    }
    return {};
}

Result<NetworkFileStatement> read_file_statement(const json& entry) {
    const auto kind = std::find(kKinds.begin(), kKinds.end(), entry.at("kind").get<std::string>());
    if (kind == kKinds.end())
        return fail(ErrorCode::malformed,
                    "kind \"" + entry.at("kind").get<std::string>() + "\" is not known");
    auto statement = signed_in(entry);
    if (!statement) return tl::unexpected(statement.error());
    return NetworkFileStatement{static_cast<NetworkFileKind>(kind - kKinds.begin()), std::move(*statement)};
}

}  // namespace

std::string_view name_of(NetworkFileKind kind) {
    return kKinds.at(static_cast<std::size_t>(kind));
}

json describe(const NetworkFileStatement& statement) {
    json out{{"kind", name_of(statement.kind)}};
    if (const auto m = read_term_membership(statement.statement);
        m && statement.kind == NetworkFileKind::membership)
        out.update({{"member", m->member.text()},
                    {"number", m->number},
                    {"not_before", file_time(m->not_before)},
                    {"not_after", file_time(m->not_after)},
                    {"signed_by", m->network_key.text()}});
    if (const auto r = read_revocation(statement.statement);
        r && statement.kind == NetworkFileKind::revocation)
        out.update({{"member", r->member.text()},
                    {"number", r->number},
                    {"made_at", file_time(r->made_at)},
                    {"signed_by", r->network_key.text()}});
    if (const auto s = read_succession(statement.statement);
        s && statement.kind == NetworkFileKind::succession)
        out.update({{"next", s->next.text()},
                    {"number", s->number},
                    {"made_at", file_time(s->made_at)},
                    {"memberships_until", file_time(s->memberships_until)},
                    {"signed_by", s->network_key.text()}});
    return out;
}

json make_network_file(const NetworkFile& file) {
    json out{{"schema", kNetworkFileSchema},
             {"network", to_hex(file.network.view())},
             {"statements", json::array()}};
    for (const auto& statement : file.statements) {
        json entry = describe(statement);
        entry.update(signed_json(statement.statement));
        out["statements"].push_back(std::move(entry));
    }
    return out;
}

Result<NetworkFile> read_network_file(const json& file) {
    try {
        if (file.at("schema") != kNetworkFileSchema)
            return fail(ErrorCode::malformed, "not a file of network statements of this version");
        const auto network = value_in_hex<NetworkId>(file.at("network"));
        if (!network) return tl::unexpected(network.error());
        NetworkFile out{*network, {}};
        for (const auto& entry : file.at("statements")) {
            auto statement = read_file_statement(entry);
            auto checked = statement ? check_statement(*network, *statement) : only_checked(statement);
            if (!checked)
                return tl::unexpected(
                    Error{checked.error().code, "statement " + std::to_string(out.statements.size() + 1) +
                                                    ": " + checked.error().text()});
            out.statements.push_back(std::move(*statement));
        }
        return out;
    } catch (const json::exception& error) {
        return fail(ErrorCode::malformed, std::string("network statements: ") + error.what());
    }
}

}  // namespace unlearn::runtime
