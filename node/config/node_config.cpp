#include "node/config/node_config.hpp"

#include <fstream>
#include <set>

#include <toml++/toml.h>

#include "node/config/csv_format_reader.hpp"
#include "node/config/ensemble_reader.hpp"
#include "node/config/toml_reader.hpp"
#include "protocol/endpoint.hpp"

namespace unlearn::config {
namespace {

using protocol::ErrorCode;
using protocol::fail;
using protocol::Result;

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::string_view kDataKinds[] = {"idx", "csv"};
constexpr std::string_view kMemberPolicies[] = {"exits-only", "exchange"};
constexpr std::uint32_t kMostTotalMib = 1 << 20;
constexpr std::string_view kLogLevels[] = {"debug", "info", "warning", "error"};

class Builder {
  public:
    Builder(const toml::table& table, const std::filesystem::path& file, Complaints& complaints)
        : root_(table, "", complaints), folder_(file.parent_path()) {
        config_.file = file;
    }

    NodeConfig build() {
        read_path(root_, "data_dir", config_.data_dir);
        read_path(root_, "control_socket", config_.control_socket);
        if (const auto length = config_.control_socket.native().size(); length > kMaxSocketPath)
            root_.complain("control_socket", "= " + config_.control_socket.string() + " has " +
                                                 std::to_string(length) +
                                                 " bytes; the path of a socket has " +
                                                 std::to_string(kMaxSocketPath) + " at most");
        read_listen();
        std::size_t level = 1;
        root_.read_choice("log_level", level, kLogLevels);
        config_.log_level = kLogLevels[level];
        root_.read("log_entries", config_.log_entries,
                   {double{storage::kLeastLogEntries}, double{storage::kMostLogEntries}});
        read_network();
        read_data();
        read_model();
        read_optimisation("training", config_.training);
        read_optimisation("distillation", config_.distillation);
        config_.ensemble = read_ensemble(root_);
        read_held_seeds();
        read_peers();
        root_.finish();
        return std::move(config_);
    }

  private:
    void read_path(TableReader& reader, std::string_view key, std::filesystem::path& value) {
        std::string text;
        reader.read(key, text);
        if (!text.empty()) value = (folder_ / text).lexically_normal();
    }
    void require_path(TableReader& reader, std::string_view key, std::filesystem::path& value) {
        read_path(reader, key, value);
        reader.require(key);
    }

    void read_listen() {
        std::string text;
        root_.read("listen", text);
        if (text.empty()) return;
        const auto endpoint = protocol::parse_endpoint(text, protocol::EndpointUse::listen);
        if (endpoint)
            config_.listen = endpoint->text();
        else
            root_.complain("listen", "= " + endpoint.error().detail);
    }

    void read_network() {
        TableReader reader = root_.section("network");
        reader.read("name", config_.network_name);
        if (reader.has("key")) {
            std::string text;
            reader.read("key", text);
            const auto key = protocol::NodeId::from_text(text);
            if (key)
                config_.network_key = *key;
            else
                reader.complain("key", "is not a network key: " + key.error().detail);
        }
        if (reader.has("name") == reader.has("key"))
            reader.complain("name", "or network.key must be given, and not both");
        reader.read("min_wire", config_.min_wire, {protocol::kOldestVersion, protocol::kNewestVersion});
        read_members(reader);
        reader.finish();
    }

    /// Reads how members that let themselves in are treated. A network without a key has none.
    void read_members(TableReader& reader) {
        protocol::MemberRules& rules = config_.members;
        for (const std::string_view key : {"members", "members_limit", "endless_memberships"})
            if (reader.has(key) && !reader.has("key"))
                reader.complain(key, "is for a network with a key; there are no members without one");
        reader.read_choice("members", rules.policy, kMemberPolicies);
        reader.read("members_limit", rules.limit, {0, protocol::kMaxMembersFromHello});
        read_bool(reader, "endless_memberships", rules.without_end);
    }

    void read_held_seeds() {
        TableReader reader = root_.section("held_seeds");
        HeldSeedsConfig& room = config_.held_seeds;
        reader.read("largest_mib", room.largest_mib, {1, protocol::kMaxSeedBytes >> 20U});
        reader.read("total_mib", room.total_mib, {1, kMostTotalMib});
        if (room.total_mib < room.largest_mib)
            reader.complain("total_mib", "= " + std::to_string(room.total_mib) +
                                             " must be at least largest_mib, which is " +
                                             std::to_string(room.largest_mib));
        reader.finish();
    }

    void read_data() {
        TableReader reader = root_.section("data");
        DataConfig& data = config_.data;
        if (!reader.has("kind")) reader.complain("kind", "is missing");
        if (!reader.read_choice("kind", data.kind, kDataKinds))
            return;  // which other keys there are depends on it
        if (data.kind == DataKind::csv) {
            require_path(reader, "path", data.path);
            reader.read("label", data.label);
            data.format = read_csv_format(reader);
        } else {
            require_path(reader, "images", data.images);
            require_path(reader, "labels", data.labels);
        }
        require_path(reader, "reference", data.reference);
        reader.read("classes", data.classes);
        reader.require("classes");
        if (reader.has("classes") && data.classes.size() < 2)
            reader.complain("classes", "must name at least two classes");
        if (std::set<std::string>(data.classes.begin(), data.classes.end()).size() != data.classes.size())
            reader.complain("classes", "has a class twice");
        reader.read("validation", data.validation, {0.0, 0.5, true});
        read_bool(reader, "watch", data.watch);
        reader.finish();
    }

    /// Reads "yes" or "no". true and false are accepted too.
    static void read_bool(TableReader& reader, std::string_view key, bool& value) {
        if (reader.is_boolean(key)) return reader.read(key, value);
        constexpr std::string_view kNames[] = {"no", "yes"};
        std::size_t choice = value ? 1 : 0;
        reader.read_choice(key, choice, kNames);
        value = choice == 1;
    }

    void read_architecture(TableReader& reader, std::string_view key, std::string text,
                           std::span<const learning::ArchitectureKind> allowed,
                           learning::Architecture& value) {
        reader.read(key, text);
        auto parsed = learning::parse_architecture(text, allowed);
        if (parsed)
            value = std::move(*parsed);
        else
            reader.complain(key, parsed.error().message);
    }

    void read_model() {
        TableReader reader = root_.section("model");
        if (reader.has("main") && reader.has("torchscript"))
            reader.complain("torchscript", "and model.main exclude each other");
        read_path(reader, "torchscript", config_.model.torchscript);
        read_architecture(reader, "main", "mlp:100", learning::kMainArchitectures, config_.model.main);
        read_architecture(reader, "seed", "mlp:32", learning::kSeedArchitectures, config_.model.seed);
        reader.finish();
    }

    void read_optimisation(std::string_view section, learning::OptimisationSettings& value) {
        TableReader reader = root_.section(section);
        reader.read("epochs", value.epochs, {1, 1'000'000});
        reader.read("batch", value.batch, {1, 100'000});
        reader.read("learning_rate", value.learning_rate, {0, 100, true});
        if (section == "training")
            reader.read("weight_decay", value.weight_decay, {0, 1});
        else
            reader.read("temperature", value.temperature, {0, 1'000, true});
        reader.finish();
    }

    void add_peer(TableReader& reader, std::string_view key, const protocol::Neighbour& peer) {
        const auto known = std::find_if(config_.peers.begin(), config_.peers.end(),
                                        [&](const auto& other) { return other.id == peer.id; });
        if (known != config_.peers.end()) reader.complain(key, "names a peer for the second time");
        config_.peers.push_back(peer);
    }

    void read_peers() {
        for (TableReader& reader : root_.sections("peers")) {
            if (reader.has("address") == reader.has("id")) {
                reader.complain("address", "or id must be given, and not both");
                continue;
            }
            if (reader.has("address")) {
                std::string text;
                reader.read("address", text);
                const auto address = protocol::PeerAddress::from_text(text);
                if (address)
                    add_peer(reader, "address", {address->id, address->endpoint});
                else
                    reader.complain("address", address.error().detail);
            } else {
                std::string text;
                reader.read("id", text);
                const auto id = protocol::NodeId::from_text(text);
                if (id)
                    add_peer(reader, "id", {*id, std::nullopt});
                else
                    reader.complain("id", id.error().detail);
            }
            reader.finish();
        }
    }

    TableReader root_;
    std::filesystem::path folder_;
    NodeConfig config_;
};

}  // namespace

Result<NodeConfig> parse_node_config(std::string_view text, const std::filesystem::path& file) {
    Complaints complaints(file.string());
    try {
        const toml::table table = toml::parse(text, file.string());
        NodeConfig config = Builder(table, file, complaints).build();
        if (!complaints.any()) return config;
    } catch (const toml::parse_error& error) {
        complaints.add(error.source().begin.line, "not TOML: " + std::string(error.description()));
    }
    std::string line = complaints.first();
    line.resize(std::min(line.size(), line.find('\n')));
    return fail(ErrorCode::malformed, std::move(line));
}

Result<NodeConfig> load_node_config(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::exists(file, error))
        return fail(ErrorCode::malformed, file.string() + ": no such file");
    if (!std::filesystem::is_regular_file(file, error) ||
        std::filesystem::file_size(file, error) > kMaxFileBytes)
        return fail(ErrorCode::malformed, file.string() + ": is not a configuration file");
    std::ifstream input(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(input), {}};
    if (!input) return fail(ErrorCode::malformed, file.string() + ": cannot be read");
    return parse_node_config(text, std::filesystem::absolute(file));
}

}  // namespace unlearn::config
