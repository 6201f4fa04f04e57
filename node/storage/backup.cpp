#include "node/storage/backup.hpp"

namespace unlearn::storage {

using protocol::Result;

namespace {

/// Leaves out held_seeds, and held_leases, which are useless without them. Also leaves out own_seed: it is
/// distilled again, and meta records its last version.
constexpr const char* kCopiedTables[] = {
    "meta",          "tombstones",    "recipients",    "receipts",    "exiting",     "own_lease",
    "left_receipts", "equivocations", "peers",         "retired",     "log",         "holder_list",
    "peer_lists",    "asked",         "starts",        "peer_states", "revocations", "successions",
    "members",       "followed_key",  "own_membership"};

Result<void> lay_out(const Binding& binding, const std::filesystem::path& file, const Disk& disk) {
    const auto copy = sqlite::Connection::open(file, sqlite::Access::read_write, disk.sqlite_vfs());
    if (!copy) return tl::unexpected(copy.error());
    if (auto set = (*copy)->run(schema::kSettings); !set) return set;
    if (auto prepared = schema::prepare(**copy, file, binding); !prepared) return prepared;
    return (*copy)->run("DELETE FROM meta");
}

Result<void> copy_tables(const sqlite::Connection& connection) {
    std::string sql = "BEGIN IMMEDIATE;";
    for (const std::string table : kCopiedTables)
        sql += "INSERT INTO copy." + table + " SELECT * FROM main." + table + ";";
    auto copied = connection.run(sql + "UPDATE copy.meta SET restored = 1, ever_restored = 1; COMMIT");
    if (!copied && connection.in_transaction()) static_cast<void>(connection.run("ROLLBACK"));
    return copied;
}

Result<void> fill(const sqlite::Connection& connection, const std::filesystem::path& file) {
    auto attach = connection.prepare("ATTACH ?1 AS copy");
    if (!attach) return tl::unexpected(attach.error());
    const std::string name = file.string();
    attach->bind_text(1, name);
    if (auto attached = attach->run(); !attached) return attached;
    auto copied = copy_tables(connection);
    // Detaching would also do this, but it reports no failure. The copy would then be in a log beside the
    // file.
    if (copied) copied = connection.checkpoint(sqlite::Checkpoint::truncate, "copy");
    auto detached = connection.run("DETACH copy");
    return copied ? detached : copied;
}

}  // namespace

Result<void> copy_without_seeds(const sqlite::Connection& connection, const Binding& binding,
                                const std::filesystem::path& where, Disk& disk) {
    const auto file = std::filesystem::absolute(where);
    if (auto made = disk.make_file(file); !made) return made;
    auto copied = lay_out(binding, file, disk);
    if (copied) copied = fill(connection, file);
    if (copied) copied = disk.sync(file);
    if (!copied) {
        for (const char* part : {"", "-wal", "-shm"})
            disk.remove(file.string() + part);
    }
    return copied;
}

}  // namespace unlearn::storage
