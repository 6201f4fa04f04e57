#include "node/storage/loader.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "node/storage/schema.hpp"
#include "node/storage/stopped_state.hpp"
#include "node/storage/wiping_memory.hpp"
#include "protocol/limits.hpp"

namespace unlearn::storage {

using namespace protocol;

namespace {

/// Reads the columns of one row. The first problem is kept, so that a loader can read all columns and check
/// once.
class RowReader {
  public:
    RowReader(const sqlite::Statement& row, std::string where) : row_(row), where_(std::move(where)) {}

    NodeId node(int column) {
        auto id = NodeId::from_bytes(row_.blob(column));
        if (!id) note("column " + std::to_string(column) + " is not a node id");
        return id.value_or(NodeId{});
    }
    /// The owner of a notice. It was checked before the notice was stored; the bytes in the notice show that
    /// they are still the same. There may be a million of them.
    NodeId owner_of(int column, const SignedBytes& notice) {
        const ByteView bytes = row_.blob(column);
        const auto named = std::search(notice.bytes.begin(), notice.bytes.end(), bytes.begin(), bytes.end());
        if (named == notice.bytes.end()) return node(column);
        auto id = NodeId::from_checked_bytes(bytes);
        if (!id) note("column " + std::to_string(column) + " is not a node id");
        return id.value_or(NodeId{});
    }
    SeedVersion version(int column) {
        const auto value = row_.integer(column);
        if (value < 0) note("column " + std::to_string(column) + " is not a version");
        return SeedVersion{static_cast<std::uint64_t>(value)};
    }
    WallTime time(int column) {
        const auto value = row_.integer(column);
        if (value < 0) note("column " + std::to_string(column) + " is not a time");
        return WallTime{std::chrono::seconds{value}};
    }
    std::uint64_t number(int column) {
        const auto value = row_.integer(column);
        if (value < 0) note("column " + std::to_string(column) + " is not a number");
        return static_cast<std::uint64_t>(value);
    }
    std::string text(int column) {
        const ByteView bytes = row_.blob(column);
        return {bytes.begin(), bytes.end()};
    }
    SignedBytes signed_bytes(int column) {
        const ByteView bytes = row_.blob(column);
        if (bytes.empty() || bytes.size() > kMaxBody)
            note("column " + std::to_string(column) + " holds " + std::to_string(bytes.size()) + " bytes");
        return {Bytes(bytes.begin(), bytes.end()), fixed<Signature>(column + 1)};
    }
    template <typename T>
    T fixed(int column) {
        auto value = T::from(row_.blob(column));
        if (!value) note("column " + std::to_string(column) + ": " + value.error().detail);
        return value.value_or(T{});
    }
    void note(const std::string& problem) {
        if (problem_.empty()) problem_ = where_ + ": " + problem;
    }
    [[nodiscard]] bool ok() const { return problem_.empty(); }
    [[nodiscard]] const std::string& problem() const { return problem_; }

  private:
    const sqlite::Statement& row_;
    std::string where_;
    std::string problem_;
};

/// Calls `take` with a reader for each row that `sql` selects; column 0 is the row's number. Loading ends
/// when `take` leaves a problem in the reader.
template <typename Take>
Result<void> each_row(const sqlite::Connection& connection, const std::filesystem::path& file,
                      const std::string& table, const char* sql, Take take) {
    auto select = connection.prepare(sql);
    if (!select) return tl::unexpected(select.error());
    while (true) {
        const auto row = select->step();
        if (!row) return fail(ErrorCode::internal, row.error().detail + " (table " + table + ")");
        if (!*row) return {};
        RowReader reader(*select,
                         file.string() + ": table " + table + ", row " + std::to_string(select->integer(0)));
        take(reader, *select);
        if (!reader.ok()) return fail(ErrorCode::internal, reader.problem());
    }
}

Result<void> load_recipients(const sqlite::Connection& connection, const std::filesystem::path& file,
                             const char* sql, std::vector<PutRecipient>& out) {
    return each_row(connection, file, "recipients", sql, [&](RowReader& reader, const sqlite::Statement&) {
        const auto peer = reader.node(1);
        out.push_back({peer, reader.version(2), reader.time(3)});
    });
}

Result<void> load_receipts(const sqlite::Connection& connection, const std::filesystem::path& file,
                           std::vector<PutReceipt>& out) {
    return each_row(connection, file, "receipts", schema::kLoadReceipts,
                    [&](RowReader& reader, const sqlite::Statement&) {
                        const auto holder = reader.node(1);
                        out.push_back({holder, reader.signed_bytes(2)});
                    });
}

Result<void> load_holder_list(const sqlite::Connection& connection, const std::filesystem::path& file,
                              std::optional<PutHolderList>& out) {
    return each_row(
        connection, file, "holder_list", schema::kLoadHolderList,
        [&](RowReader& reader, const sqlite::Statement&) { out = PutHolderList{reader.signed_bytes(1)}; });
}

/// Reads what shows whether this state, or that of a peer, is an old copy.
Result<void> load_states(const sqlite::Connection& connection, const std::filesystem::path& file,
                         LoadedState& state) {
    using Row = sqlite::Statement;
    auto loaded =
        each_row(connection, file, "starts", schema::kLoadStarts, [&](RowReader& reader, const Row&) {
            const auto start = reader.fixed<StartId>(1);
            const auto previous = reader.fixed<StartId>(2);
            const auto number = reader.number(3);
            state.starts.push_back({start, previous, number, reader.number(4) != 0});
        });
    if (!loaded) return loaded;
    return each_row(connection, file, "peer_states", schema::kLoadPeerStates,
                    [&](RowReader& reader, const Row&) {
                        const auto peer = reader.node(1);
                        const auto number = reader.number(2);
                        state.peer_states.push_back({peer, number, reader.signed_bytes(3)});
                    });
}

/// Reads the payload after its lead. The digest shows whether it is damaged.
SharedSeedBytes read_payload(const sqlite::Connection& connection, RowReader& reader, const char* table,
                             std::int64_t row, std::int64_t stored_size, const Digest& digest) {
    const auto size = stored_size - static_cast<std::int64_t>(schema::kPayloadLead);
    if (size < 1 || size > static_cast<std::int64_t>(kMaxSeedBytes)) {
        reader.note("payload of " + std::to_string(size) + " bytes");
        return nullptr;
    }
    Bytes buffer(static_cast<std::size_t>(size));
    const auto read = connection.read_blob(table, "payload", row, schema::kPayloadLead, buffer);
    auto payload = std::make_shared<const SeedBytes>(std::move(buffer));
    if (!read) reader.note(read.error().detail);
    if (read && digest_of(payload->view()) != digest) reader.note("payload does not fit its digest");
    return payload;
}

Result<void> load_held_seeds(const sqlite::Connection& connection, const std::filesystem::path& file,
                             Loaded& out) {
    auto select = connection.prepare(schema::kLoadHeldSeeds);
    if (!select) return tl::unexpected(select.error());
    while (true) {
        const auto step = select->step();
        if (!step) return fail(ErrorCode::internal, step.error().detail + " (table held_seeds)");
        if (!*step) return {};
        const auto row = select->integer(0);
        RowReader reader(*select, file.string() + ": table held_seeds, row " + std::to_string(row));
        PutHeldSeed seed;
        seed.owner = reader.node(1);
        const bool owner_known = reader.ok();
        seed.version = reader.version(2);
        seed.record = reader.signed_bytes(3);
        const auto digest = reader.fixed<Digest>(5);
        seed.payload = read_payload(connection, reader, "held_seeds", row, select->integer(6), digest);
        if (reader.ok())
            out.state.held_seeds.push_back(std::move(seed));
        else
            out.damaged.push_back(
                {row, owner_known ? std::optional(seed.owner) : std::nullopt, reader.problem()});
    }
}

Result<void> load_leases(const sqlite::Connection& connection, const std::filesystem::path& file,
                         LoadedState& state) {
    using Row = sqlite::Statement;
    auto loaded =
        each_row(connection, file, "own_lease", schema::kLoadOwnLease, [&](RowReader& reader, const Row&) {
            state.own_lease = PutOwnLease{reader.number(1), reader.time(2)};
        });
    if (!loaded) return loaded;
    return each_row(connection, file, "held_leases", schema::kLoadHeldLeases,
                    [&](RowReader& reader, const Row&) {
                        const auto owner = reader.node(1);
                        state.held_leases.push_back({owner, reader.number(2), reader.time(3)});
                    });
}

/// Reads what is known of other nodes besides their seeds, and whether this node may still run.
Result<void> load_relations(const sqlite::Connection& connection, const std::filesystem::path& file,
                            LoadedState& state) {
    using Row = sqlite::Statement;
    auto loaded =
        each_row(connection, file, "retired", schema::kLoadRetired,
                 [&](RowReader& reader, const Row&) { state.retired = PutRetired{reader.text(1)}; });
    if (loaded)
        loaded = each_row(connection, file, "left_receipts", schema::kLoadLeftReceipts,
                          [&](RowReader& reader, const Row&) {
                              const auto owner = reader.node(1);
                              state.left_receipts.push_back({owner, reader.signed_bytes(2)});
                          });
    if (loaded)
        loaded = each_row(connection, file, "peer_lists", schema::kLoadPeerLists,
                          [&](RowReader& reader, const Row&) {
                              const auto owner = reader.node(1);
                              state.peer_lists.push_back({owner, reader.signed_bytes(2)});
                          });
    if (loaded)
        loaded = each_row(connection, file, "asked", schema::kLoadAsked, [&](RowReader& reader, const Row&) {
            const auto owner = reader.node(1);
            state.asked.push_back({owner, reader.version(2)});
        });
    if (loaded)
        loaded = each_row(
            connection, file, "equivocations", schema::kLoadEquivocations,
            [&](RowReader& reader, const Row&) {
                const auto owner = reader.node(1);
                const auto version = reader.version(2);
                auto first = reader.signed_bytes(3);
                state.equivocations.push_back({owner, version, std::move(first), reader.signed_bytes(5)});
            });
    if (!loaded) return loaded;
    return each_row(connection, file, "peers", schema::kLoadPeers, [&](RowReader& reader, const Row&) {
        const auto peer = reader.node(1);
        auto endpoint = reader.text(2);
        state.peers.push_back({peer, endpoint.empty() ? std::nullopt : std::optional(std::move(endpoint)),
                               reader.number(3) != 0});
    });
}

/// Reads what the network's key said, and which members let themselves in.
Result<void> load_network(const sqlite::Connection& connection, const std::filesystem::path& file,
                          LoadedState& state) {
    using Row = sqlite::Statement;
    auto loaded = each_row(
        connection, file, "revocations", schema::kLoadRevocations, [&](RowReader& reader, const Row&) {
            const auto member = reader.node(1);
            auto revocation = reader.signed_bytes(2);
            state.revocations.push_back({member, std::move(revocation), reader.version(4)});
        });
    if (loaded)
        loaded = each_row(
            connection, file, "successions", schema::kLoadSuccessions,
            [&](RowReader& reader, const Row&) { state.successions.push_back({reader.signed_bytes(1)}); });
    if (loaded)
        loaded =
            each_row(connection, file, "members", schema::kLoadMembers, [&](RowReader& reader, const Row&) {
                const auto member = reader.node(1);
                const auto admitted = reader.number(2);
                state.members.push_back({member, admitted, reader.signed_bytes(3)});
            });
    if (loaded)
        loaded = each_row(
            connection, file, "followed_key", schema::kLoadFollowedKey,
            [&](RowReader& reader, const Row&) { state.followed_key = PutFollowedKey{reader.node(1)}; });
    if (!loaded) return loaded;
    return each_row(connection, file, "own_membership", schema::kLoadOwnMembership,
                    [&](RowReader& reader, const Row&) {
                        state.own_membership = PutOwnMembership{reader.signed_bytes(1)};
                    });
}

}  // namespace

Result<Loaded> load_all(const sqlite::Connection& connection, const std::filesystem::path& file) {
    Loaded out;
    LoadedState& state = out.state;
    using Row = sqlite::Statement;

    // Tombstones come first: nothing else can be trusted before it is known who has left.
    Result<void> loaded =
        each_row(connection, file, "tombstones", schema::kLoadTombstones, [&](RowReader& reader, const Row&) {
            auto notice = reader.signed_bytes(2);
            const auto owner = reader.owner_of(1, notice);
            state.tombstones.push_back({owner, std::move(notice), reader.version(4)});
        });
    if (loaded)
        loaded =
            each_row(connection, file, "exiting", schema::kLoadExiting, [&](RowReader& reader, const Row&) {
                state.exiting = PutExiting{reader.signed_bytes(1), reader.number(3) != 0};
            });
    if (loaded) loaded = load_recipients(connection, file, schema::kLoadRecipients, state.recipients);
    if (loaded) loaded = load_receipts(connection, file, state.receipts);
    if (loaded)
        loaded = each_row(
            connection, file, "own_seed", schema::kLoadOwnSeed, [&](RowReader& reader, const Row& row) {
                const auto version = reader.version(1);
                auto record = reader.signed_bytes(2);
                const auto digest = reader.fixed<Digest>(4);
                auto payload =
                    read_payload(connection, reader, "own_seed", row.integer(0), row.integer(5), digest);
                state.own_seed = PutOwnSeed{version, std::move(record), std::move(payload)};
            });
    if (loaded)
        loaded = each_row(connection, file, "meta", schema::kLoadMeta, [&](RowReader& reader, const Row&) {
            state.last_own_version = reader.version(1);
            state.restored = reader.number(2) != 0;
            state.ever_restored = reader.number(3) != 0;
            state.copied = reader.number(4) != 0;
        });
    if (loaded) loaded = load_holder_list(connection, file, state.holder_list);
    if (loaded) loaded = load_states(connection, file, state);
    if (loaded) loaded = load_leases(connection, file, state);
    if (loaded) loaded = load_relations(connection, file, state);
    if (loaded) loaded = load_network(connection, file, state);
    if (loaded) loaded = load_held_seeds(connection, file, out);
    connection.drop_cache();
    wipe_unused_stack();
    if (!loaded) return tl::unexpected(loaded.error());
    return out;
}

namespace {

/// Reads the exits of others without what their erasure says, which only later versions have.
Result<void> load_notices(const sqlite::Connection& connection, const std::filesystem::path& file,
                          std::vector<PutTombstone>& out) {
    return each_row(connection, file, "tombstones",
                    "SELECT rowid, owner, notice, signature FROM tombstones ORDER BY owner",
                    [&](RowReader& reader, const sqlite::Statement&) {
                        const auto owner = reader.node(1);
                        out.push_back({owner, reader.signed_bytes(2), SeedVersion{}});
                    });
}

Result<void> read_binding(const sqlite::Connection& connection, const std::filesystem::path& file,
                          Binding& binding) {
    return each_row(connection, file, "meta", "SELECT id, self, network FROM meta",
                    [&](RowReader& reader, const sqlite::Statement&) {
                        binding = {reader.node(1), reader.fixed<NetworkId>(2)};
                    });
}

}  // namespace

Result<std::optional<StoredExit>> read_stored_exit(const std::filesystem::path& directory) {
    const auto state = open_stopped(directory, 1);
    if (!state) return tl::unexpected(state.error());
    const auto& [lock, file, opened, version] = *state;
    const sqlite::Connection& connection = *opened;
    StoredExit exit;
    bool begun = false;
    auto read = each_row(connection, file, "exiting", "SELECT id, notice, signature FROM exiting",
                         [&](RowReader& reader, const sqlite::Statement&) {
                             exit.notice = reader.signed_bytes(1);
                             begun = true;
                         });
    if (read) read = read_binding(connection, file, exit.binding);
    // The first version knew no leases.
    const char* recipients = version > 1 ? schema::kLoadRecipients
                                         : "SELECT rowid, peer, version, 0 FROM recipients ORDER BY peer";
    if (read) read = load_recipients(connection, file, recipients, exit.recipients);
    if (read) read = load_receipts(connection, file, exit.receipts);
    if (read) read = load_notices(connection, file, exit.tombstones);
    std::optional<PutHolderList> list;
    if (read && version >= schema::kHolderListVersion) read = load_holder_list(connection, file, list);
    if (list) exit.list = std::move(list->list);
    if (!read) return tl::unexpected(read.error());
    if (!begun) return std::nullopt;
    return exit;
}

}  // namespace unlearn::storage
