#include "node/daemon/control_request.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "node/command_line/nearest.hpp"
#include "node/learning/data/table.hpp"
#include "node/runtime/certificate.hpp"

namespace unlearn::daemon {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;

constexpr std::uint64_t kMostLogEntries = 10'000;
constexpr std::uint64_t kLongestWait = 3600;

/// Reads a number from the query. Returns `otherwise` when it is absent, nothing when it is not a number or
/// above `most`.
std::optional<std::uint64_t> number_in(const HttpRequest& request, const char* name, std::uint64_t otherwise,
                                       std::uint64_t most) {
    const auto found = request.query.find(name);
    if (found == request.query.end()) return otherwise;
    const auto& text = found->second;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
    return value;
}

tl::unexpected<Error> refuse(const std::string& line) {
    return fail(ErrorCode::malformed, line);
}

/// Reads the body as an object that has no names but these. An empty body is an empty object.
Result<json> object_in(const HttpRequest& request, const std::vector<std::string_view>& known) {
    if (request.body.empty()) return json::object();
    auto body = json::parse(request.body, nullptr, false);
    if (!body.is_object()) return refuse("the body must be a JSON object");
    for (const auto& [name, value] : body.items())
        if (auto fine = check_name(name, known); !fine) return tl::unexpected(fine.error());
    return body;
}

std::optional<std::string> text_in(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
}

}  // namespace

Result<void> check_name(const std::string& name, const std::vector<std::string_view>& known) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return {};
    const auto meant = command_line::nearest(name, known);
    return refuse("unknown name \"" + name + "\"" +
                  (meant ? "; did you mean \"" + std::string(*meant) + "\"?" : std::string()));
}

Result<Neighbour> read_new_peer(const HttpRequest& request) {
    const auto body = object_in(request, {"address", "id"});
    if (!body) return tl::unexpected(body.error());
    const auto address = text_in(*body, "address");
    const auto id_text = text_in(*body, "id");
    if (address.has_value() == id_text.has_value()) return refuse("give either \"address\" or \"id\"");
    if (address) {
        auto parsed = PeerAddress::from_text(*address);
        if (!parsed) return tl::unexpected(parsed.error());
        return Neighbour{parsed->id, std::move(parsed->endpoint)};
    }
    const auto id = NodeId::from_text(*id_text);
    if (!id) return tl::unexpected(id.error());
    return Neighbour{*id, std::nullopt};
}

Result<NodeId> read_peer(const HttpRequest& request) {
    return NodeId::from_text(std::string_view(request.path).substr(kPeerPath.size()));
}

Result<bool> read_give_up(const HttpRequest& request) {
    const auto body = object_in(request, {"give_up"});
    if (!body) return tl::unexpected(body.error());
    const auto give_up = body->value("give_up", json(false));
    if (!give_up.is_boolean()) return refuse("give_up: must be true or false");
    return give_up.get<bool>();
}

Result<std::chrono::seconds> read_wait(const HttpRequest& request) {
    const auto wait = number_in(request, "wait_s", 0, kLongestWait);
    if (!wait) return refuse("wait_s: must be a number of seconds, at most an hour");
    return std::chrono::seconds(*wait);
}

bool waits_for_seed(const HttpRequest& request) {
    const auto wait = request.query.find("wait");
    return wait != request.query.end() && wait->second != "0";
}

Result<SignedBytes> read_sealed_exit(const HttpRequest& request) {
    auto notice = runtime::read_sealed_exit(json::parse(request.body, nullptr, false));
    if (!notice) return refuse(notice.error().text());
    return notice;
}

Result<runtime::NetworkFile> read_network_statements(const HttpRequest& request) {
    auto file = runtime::read_network_file(json::parse(request.body, nullptr, false));
    if (!file) return refuse(file.error().text());
    return file;
}

Result<NodeId> read_network_key(const HttpRequest& request) {
    const auto body = object_in(request, {"key"});
    if (!body) return tl::unexpected(body.error());
    const auto text = text_in(*body, "key");
    if (!text) return refuse("key: must be the text of a network key");
    const auto key = NodeId::from_text(*text);
    if (!key) return refuse("key: is not a network key: " + key.error().detail);
    return key;
}

Result<LogRange> read_log_range(const HttpRequest& request) {
    const LogRange usual;
    const auto after = number_in(request, "after", usual.after, UINT64_MAX);
    const auto limit = number_in(request, "limit", usual.limit, kMostLogEntries);
    if (!after || !limit) return refuse("after, limit: must be numbers, limit at most 10000");
    return LogRange{*after, *limit};
}

Result<void> check_query(const HttpRequest& request, const std::vector<std::string_view>& known) {
    for (const auto& [name, value] : request.query)
        if (auto fine = check_name(name, known); !fine) return fine;
    return {};
}

Result<std::string> read_backup_path(const HttpRequest& request) {
    const auto body = object_in(request, {"path"});
    if (!body) return tl::unexpected(body.error());
    auto path = text_in(*body, "path");
    if (!path || !std::filesystem::path(*path).is_absolute()) return refuse("path: must be an absolute path");
    return std::move(*path);
}

}  // namespace unlearn::daemon
