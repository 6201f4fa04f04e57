#include "node/storage/schema.hpp"

#include <string>

namespace unlearn::storage::schema {

using protocol::ErrorCode;
using protocol::fail;
using protocol::NetworkId;
using protocol::NodeId;
using protocol::Result;

namespace {

// STRICT makes SQLite check every value against its column's type.
constexpr auto kVersion1 =
    "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK (id = 1), self BLOB NOT NULL, network BLOB NOT NULL)"
    " STRICT;"
    "CREATE TABLE tombstones(owner BLOB PRIMARY KEY NOT NULL, notice BLOB NOT NULL, signature BLOB NOT NULL)"
    " STRICT;"
    "CREATE TABLE recipients(peer BLOB PRIMARY KEY NOT NULL, version INTEGER NOT NULL) STRICT;"
    "CREATE TABLE receipts(holder BLOB PRIMARY KEY NOT NULL, receipt BLOB NOT NULL, signature BLOB NOT NULL)"
    " STRICT;"
    // The payload comes last, so that the columns before it and its lead fill the part of the row in the
    // B-tree.
    "CREATE TABLE held_seeds(id INTEGER PRIMARY KEY, owner BLOB NOT NULL UNIQUE, version INTEGER NOT NULL,"
    " record BLOB NOT NULL, signature BLOB NOT NULL, digest BLOB NOT NULL, payload BLOB NOT NULL) STRICT;"
    "CREATE TABLE own_seed(id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL,"
    " record BLOB NOT NULL, signature BLOB NOT NULL, digest BLOB NOT NULL, payload BLOB NOT NULL) STRICT;"
    "CREATE TABLE exiting(id INTEGER PRIMARY KEY CHECK (id = 1), notice BLOB NOT NULL,"
    " signature BLOB NOT NULL) STRICT;";

/// What each version adds to the one before; entry 0 is version 1. Entries are never changed once released.
constexpr const char* kSteps[] = {
    kVersion1,
    // 0 means that the end is unknown: the recipient was served before there were leases.
    "ALTER TABLE recipients ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;"
    // Leases are not in held_seeds, because a renewal must not write the payload again.
    "CREATE TABLE held_leases(owner BLOB PRIMARY KEY NOT NULL, number INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL) STRICT;"
    "CREATE TABLE own_lease(id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL) STRICT;"
    "CREATE TABLE left_receipts(owner BLOB PRIMARY KEY NOT NULL, receipt BLOB NOT NULL,"
    " signature BLOB NOT NULL) STRICT;"
    "CREATE TABLE equivocations(owner BLOB NOT NULL, version INTEGER NOT NULL, first BLOB NOT NULL,"
    " first_signature BLOB NOT NULL, second BLOB NOT NULL, second_signature BLOB NOT NULL,"
    " PRIMARY KEY(owner, version)) STRICT;"
    "CREATE TABLE peers(peer BLOB PRIMARY KEY NOT NULL, endpoint BLOB NOT NULL, former INTEGER NOT NULL)"
    " STRICT;"
    "CREATE TABLE retired(id INTEGER PRIMARY KEY CHECK (id = 1), reason BLOB NOT NULL) STRICT;",
    "CREATE TABLE log(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL,"
    " subject BLOB NOT NULL, version INTEGER NOT NULL, previous BLOB NOT NULL, hash BLOB NOT NULL) STRICT;"
    "ALTER TABLE meta ADD COLUMN log_seq INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE meta ADD COLUMN log_hash BLOB NOT NULL DEFAULT x'';"
    // The bytes of our own seed may be erased, but its version is never used again.
    "ALTER TABLE meta ADD COLUMN own_version INTEGER NOT NULL DEFAULT 0;"
    "UPDATE meta SET own_version = coalesce((SELECT max(version) FROM own_seed), 0);",
    // An exit that came from a peer ends differently from one that was requested here, also after a restart.
    "ALTER TABLE exiting ADD COLUMN met INTEGER NOT NULL DEFAULT 0;",
    // 1 in a backup: a node that starts from a backup does not know what happened later, above all exits.
    "ALTER TABLE meta ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;",
    // What our receipt says. 0 where the exit was stored before: nobody knows any more what was held.
    "ALTER TABLE tombstones ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;",
    // Version 2 of the wire format.
    "CREATE TABLE holder_list(id INTEGER PRIMARY KEY CHECK (id = 1), list BLOB NOT NULL,"
    " signature BLOB NOT NULL) STRICT;"
    "CREATE TABLE peer_lists(owner BLOB NOT NULL, place INTEGER NOT NULL, list BLOB NOT NULL,"
    " signature BLOB NOT NULL, PRIMARY KEY(owner, place)) STRICT;"
    "CREATE TABLE asked(owner BLOB PRIMARY KEY NOT NULL, version INTEGER NOT NULL) STRICT;"
    "INSERT INTO asked SELECT owner, version FROM held_seeds;"
    "CREATE TABLE starts(start BLOB PRIMARY KEY NOT NULL, previous BLOB NOT NULL, number INTEGER NOT NULL,"
    " seen INTEGER NOT NULL)"
    " STRICT;"
    "CREATE TABLE peer_states(peer BLOB PRIMARY KEY NOT NULL, number INTEGER NOT NULL, state BLOB NOT NULL,"
    " signature BLOB NOT NULL) STRICT;"
    "ALTER TABLE meta ADD COLUMN ever_restored INTEGER NOT NULL DEFAULT 0;"
    "UPDATE meta SET ever_restored = restored;"
    "ALTER TABLE meta ADD COLUMN copied INTEGER NOT NULL DEFAULT 0;"
    // The number and the hash of the newest entry that was dropped from the log. The chain goes on from it.
    "ALTER TABLE meta ADD COLUMN log_dropped INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE meta ADD COLUMN log_dropped_hash BLOB NOT NULL DEFAULT x'';",
    // What the network's key says of members, and who let itself in.
    "CREATE TABLE revocations(member BLOB PRIMARY KEY NOT NULL, revocation BLOB NOT NULL,"
    " signature BLOB NOT NULL, erased INTEGER NOT NULL) STRICT;"
    "CREATE TABLE successions(id INTEGER PRIMARY KEY, succession BLOB NOT NULL UNIQUE,"
    " signature BLOB NOT NULL) STRICT;"
    "CREATE TABLE members(member BLOB PRIMARY KEY NOT NULL, admitted INTEGER NOT NULL,"
    " membership BLOB NOT NULL, signature BLOB NOT NULL) STRICT;"
    "CREATE TABLE followed_key(id INTEGER PRIMARY KEY CHECK (id = 1), key BLOB NOT NULL) STRICT;"
    "CREATE TABLE own_membership(id INTEGER PRIMARY KEY CHECK (id = 1), membership BLOB NOT NULL,"
    " signature BLOB NOT NULL) STRICT;",
};
static_assert(std::size(kSteps) == kVersion);

/// Tables in which damage must stop the start: a missing tombstone or recipient could not be noticed later.
/// held_seeds is not among them, because a damaged seed is only left out (see load).
constexpr const char* kCheckedTables[] = {
    "meta",          "tombstones",  "recipients", "receipts",     "exiting",       "own_lease",
    "left_receipts", "retired",     "log",        "starts",       "asked",         "holder_list",
    "revocations",   "successions", "members",    "followed_key", "own_membership"};

std::string all_steps() {
    std::string sql;
    for (const char* step : kSteps)
        sql += step;
    return sql;
}

/// Uses one transaction for each version: a crash leaves the version before or the next one, never half of
/// it.
Result<void> migrate(const sqlite::Connection& connection, std::int64_t version) {
    for (; version < kVersion; ++version) {
        auto upgraded = connection.run(std::string("BEGIN IMMEDIATE;") + kSteps[version] +
                                       "PRAGMA user_version = " + std::to_string(version + 1) + "; COMMIT");
        if (!upgraded) return upgraded;
    }
    return {};
}

tl::unexpected<protocol::Error> refuse(const std::filesystem::path& file, const std::string& why) {
    return fail(ErrorCode::internal, file.string() + ": " + why);
}

Result<void> check_known(const std::filesystem::path& file, std::int64_t application, std::int64_t version) {
    if (application != kApplicationId) return refuse(file, "is not a database of unlearnd");
    if (version > kVersion)
        return refuse(file, "has schema version " + std::to_string(version) +
                                ", this program knows only up to " + std::to_string(kVersion));
    if (version < 1) return refuse(file, "has schema version " + std::to_string(version));
    return {};
}

Result<void> create(const sqlite::Connection& connection, const Binding& binding) {
    // Auto-vacuum would move pages and leave copies of them in the log.
    auto laid_out =
        connection.run("PRAGMA page_size = " + std::to_string(kPageSize) + "; PRAGMA auto_vacuum = NONE");
    if (!laid_out) return laid_out;
    if (auto logged = connection.run("PRAGMA journal_mode = WAL"); !logged) return logged;
    // One transaction, so that an interrupted start leaves an empty database, which is created again.
    auto created =
        connection.run("BEGIN IMMEDIATE; PRAGMA application_id = " + std::to_string(kApplicationId) +
                       "; PRAGMA user_version = " + std::to_string(kVersion) + ";" + all_steps());
    if (!created) return created;
    auto insert = connection.prepare("INSERT INTO meta(id, self, network) VALUES(1, ?1, ?2)");
    if (!insert) return tl::unexpected(insert.error());
    insert->bind(1, binding.self.view()).bind(2, binding.network.view());
    if (auto inserted = insert->run(); !inserted) return inserted;
    return connection.run("COMMIT");
}

Result<void> check_binding(const sqlite::Connection& connection, const std::filesystem::path& file,
                           const Binding& binding) {
    auto select = connection.prepare("SELECT self, network FROM meta");
    if (!select) return tl::unexpected(select.error());
    const auto row = select->step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return refuse(file, "table meta is empty");
    const auto self = NodeId::from_bytes(select->blob(0));
    const auto network = NetworkId::from(select->blob(1));
    if (!self || !network) return refuse(file, "table meta, row 1: not a node and a network");
    if (*self != binding.self)
        return refuse(file,
                      "belongs to node " + self->short_text() + ", not to " + binding.self.short_text());
    if (*network != binding.network) return refuse(file, "belongs to another network");
    return {};
}

Result<void> check_tables(const sqlite::Connection& connection, const std::filesystem::path& file) {
    for (const std::string table : kCheckedTables) {
        const auto found = connection.text("PRAGMA quick_check(" + table + ")");
        if (!found) return tl::unexpected(found.error());
        if (*found != "ok") {
            auto line = found->substr(found->find_first_not_of("* "));
            for (char& c : line)
                if (c == '\n') c = ' ';
            return refuse(file, "table " + table + " is damaged: " + line);
        }
    }
    return {};
}

}  // namespace

Result<void> prepare(const sqlite::Connection& connection, const std::filesystem::path& file,
                     const Binding& binding) {
    const auto application = connection.integer("PRAGMA application_id");
    if (!application) return tl::unexpected(application.error());
    const auto version = connection.integer("PRAGMA user_version");
    if (!version) return tl::unexpected(version.error());
    const auto tables = connection.integer("SELECT count(*) FROM sqlite_schema");
    if (!tables) return tl::unexpected(tables.error());

    if (*application == 0 && *version == 0 && *tables == 0) return create(connection, binding);
    if (auto known = check_known(file, *application, *version); !known) return known;
    if (auto ours = check_binding(connection, file, binding); !ours) return ours;
    if (auto upgraded = migrate(connection, *version); !upgraded) return upgraded;
    return check_tables(connection, file);
}

Result<std::int64_t> check_version(const sqlite::Connection& connection, const std::filesystem::path& file,
                                   std::int64_t oldest) {
    const auto application = connection.integer("PRAGMA application_id");
    if (!application) return tl::unexpected(application.error());
    const auto version = connection.integer("PRAGMA user_version");
    if (!version) return tl::unexpected(version.error());
    if (auto known = check_known(file, *application, *version); !known) return tl::unexpected(known.error());
    if (*version < oldest)
        return refuse(
            file, "has schema version " + std::to_string(*version) + ", start unlearnd once to upgrade it");
    return *version;
}

}  // namespace unlearn::storage::schema
