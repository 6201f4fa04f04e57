#include <doctest/doctest.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

std::string literal(ByteView bytes) {
    return "x'" + to_hex(bytes) + "'";
}

std::string columns(const SignedBytes& statement) {
    return literal(statement.bytes) + ", " + literal(statement.signature.view());
}

std::string columns(const SignedBytes& record, const SharedSeedBytes& payload) {
    Bytes stored(schema::kPayloadLead);
    stored.insert(stored.end(), payload->view().begin(), payload->view().end());
    return columns(record) + ", " + literal(digest_of(payload->view()).view()) + ", " + literal(stored);
}

/// What the first released layout of a node's state looked like, with one row in each table.
void make_version_1(const std::filesystem::path& directory) {
    const auto seed = held(4, 5);
    const auto own = held(9, 7);
    const auto id = binding();
    run_sql(directory,
            "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA application_id = 1970170994;"
            "PRAGMA user_version = 1;"
            "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK (id = 1), self BLOB NOT NULL,"
            " network BLOB NOT NULL) STRICT;"
            "CREATE TABLE tombstones(owner BLOB PRIMARY KEY NOT NULL, notice BLOB NOT NULL,"
            " signature BLOB NOT NULL) STRICT;"
            "CREATE TABLE recipients(peer BLOB PRIMARY KEY NOT NULL, version INTEGER NOT NULL) STRICT;"
            "CREATE TABLE receipts(holder BLOB PRIMARY KEY NOT NULL, receipt BLOB NOT NULL,"
            " signature BLOB NOT NULL) STRICT;"
            "CREATE TABLE held_seeds(id INTEGER PRIMARY KEY, owner BLOB NOT NULL UNIQUE,"
            " version INTEGER NOT NULL, record BLOB NOT NULL, signature BLOB NOT NULL,"
            " digest BLOB NOT NULL, payload BLOB NOT NULL) STRICT;"
            "CREATE TABLE own_seed(id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL,"
            " record BLOB NOT NULL, signature BLOB NOT NULL, digest BLOB NOT NULL,"
            " payload BLOB NOT NULL) STRICT;"
            "CREATE TABLE exiting(id INTEGER PRIMARY KEY CHECK (id = 1), notice BLOB NOT NULL,"
            " signature BLOB NOT NULL) STRICT;"
            "INSERT INTO meta VALUES(1, " +
                literal(id.self.view()) + ", " + literal(id.network.view()) +
                "); INSERT INTO tombstones VALUES(" + literal(node(1).view()) + ", " +
                columns(statement("notice")) + "); INSERT INTO recipients VALUES(" + literal(node(2).view()) +
                ", 3); INSERT INTO receipts VALUES(" + literal(node(3).view()) + ", " +
                columns(statement("receipt")) + "); INSERT INTO held_seeds VALUES(1, " +
                literal(seed.owner.view()) + ", 5, " + columns(seed.record, seed.payload) +
                "); INSERT INTO own_seed VALUES(1, 7, " + columns(own.record, own.payload) +
                "); INSERT INTO exiting VALUES(1, " + columns(statement("leaving")) + ")");
}

std::int64_t version_of(const std::filesystem::path& directory) {
    const auto connection =
        sqlite::Connection::open(directory / "state.db", sqlite::Access::read_only).value();
    return connection->integer("PRAGMA user_version").value();
}

}  // namespace

TEST_CASE("a database of version 1 is upgraded and keeps what it holds") {
    const TemporaryFolder folder;
    make_version_1(folder.path());
    REQUIRE(version_of(folder.path()) == 1);
    for (int start = 0; start < 2; ++start) {  // the second finds it upgraded
        const auto store = open(folder.path());
        const auto state = load(*store);
        REQUIRE(state.tombstones.size() == 1);
        CHECK(state.tombstones[0].owner == node(1));
        CHECK(state.tombstones[0].notice == statement("notice"));
        CHECK(state.tombstones[0].erased == SeedVersion{0});
        REQUIRE(state.recipients.size() == 1);
        CHECK(state.recipients[0].peer == node(2));
        CHECK(state.recipients[0].version == SeedVersion{3});
        CHECK(state.recipients[0].lease_until == WallTime{});
        REQUIRE(state.receipts.size() == 1);
        CHECK(state.receipts[0].receipt == statement("receipt"));
        REQUIRE(state.held_seeds.size() == 1);
        CHECK(state.held_seeds[0].version == SeedVersion{5});
        CHECK(to_hex(state.held_seeds[0].payload->view()) == to_hex(held(4, 5).payload->view()));
        REQUIRE(state.own_seed);
        CHECK(to_hex(state.own_seed->payload->view()) == to_hex(held(9, 7).payload->view()));
        CHECK(state.last_own_version == SeedVersion{7});
        REQUIRE(state.exiting);
        CHECK(state.exiting->notice == statement("leaving"));
        CHECK_FALSE(state.exiting->met);
        REQUIRE(state.asked.size() == 1);  // what is held was asked for
        CHECK(state.asked[0].owner == node(4));
        CHECK(state.asked[0].version == SeedVersion{5});
        CHECK(!state.holder_list);
        CHECK(state.starts.empty());
        CHECK_FALSE(state.ever_restored);
        CHECK(state.held_leases.empty());
        CHECK(!state.retired);
        CHECK(state.revocations.empty());
        CHECK(state.successions.empty());
        CHECK(state.members.empty());
        CHECK(store->verify_log().value().entries == 0);
    }
    CHECK(version_of(folder.path()) == schema::kVersion);
}

TEST_CASE("a state that was restored before version 7 has been restored ever after") {
    for (const bool restored : {false, true}) {
        const TemporaryFolder folder;
        const auto statements = restored ? std::vector<StoreOp>{SetRestored{}} : std::vector<StoreOp>{};
        apply(*open(folder.path()), statements);
        // What versions 7 and 8 added is taken away again.
        std::string sql = "PRAGMA user_version = 6;";
        for (const char* table : {"holder_list", "peer_lists", "asked", "starts", "peer_states",
                                  "revocations", "successions", "members", "followed_key", "own_membership"})
            sql += std::string("DROP TABLE ") + table + ";";
        for (const char* column : {"ever_restored", "copied", "log_dropped", "log_dropped_hash"})
            sql += std::string("ALTER TABLE meta DROP COLUMN ") + column + ";";
        run_sql(folder.path(), sql);
        REQUIRE(version_of(folder.path()) == 6);
        const auto store = open(folder.path());
        apply(*store, {ClearRestored{}});
        CHECK(load(*store).ever_restored == restored);
    }
}

TEST_CASE("the exit of a node that has left is read from any version of its state, which stays as it was") {
    const TemporaryFolder folder;
    make_version_1(folder.path());
    const auto exit = read_stored_exit(folder.path()).value();
    REQUIRE(exit);
    CHECK(exit->binding.self == binding().self);
    CHECK(exit->binding.network == binding().network);
    CHECK(exit->notice == statement("leaving"));
    REQUIRE(exit->recipients.size() == 1);
    CHECK(exit->recipients[0].peer == node(2));
    CHECK(exit->recipients[0].version == SeedVersion{3});
    CHECK(exit->recipients[0].lease_until == WallTime{});
    REQUIRE(exit->receipts.size() == 1);
    CHECK(exit->receipts[0].receipt == statement("receipt"));
    CHECK(version_of(folder.path()) == 1);

    const TemporaryFolder staying;
    REQUIRE(
        open(staying.path())->apply(std::vector<StoreOp>{PutRecipient{node(2), SeedVersion{3}, WallTime{}}}));
    CHECK_FALSE(read_stored_exit(staying.path()).value());
}

TEST_CASE("the log of a node that has left is verified although a later version of the state came") {
    const TemporaryFolder folder;
    REQUIRE(open(folder.path())->apply(std::vector<StoreOp>{tombstone(1)}));
    // As version 5 left it.
    run_sql(folder.path(),
            "ALTER TABLE tombstones DROP COLUMN erased; DROP TABLE holder_list; DROP TABLE peer_lists; "
            "DROP TABLE asked; DROP TABLE starts; DROP TABLE peer_states; "
            "ALTER TABLE meta DROP COLUMN ever_restored; ALTER TABLE meta DROP COLUMN copied; "
            "ALTER TABLE meta DROP COLUMN log_dropped; ALTER TABLE meta DROP COLUMN log_dropped_hash; "
            "PRAGMA user_version = 5");
    const auto check = verify_log_of(folder.path());
    REQUIRE_MESSAGE(check, check.error().detail);
    CHECK(check->entries == 1);
    CHECK_FALSE(check->first_bad);
    CHECK(version_of(folder.path()) == 5);
}

TEST_CASE("an upgraded database erases and logs as a new one does") {
    const TemporaryFolder folder;
    make_version_1(folder.path());
    const Traces traces(held(4, 5).payload->view());
    const auto store = open(folder.path());
    REQUIRE(traces.count_in_folder(folder.path()) > 0);
    const std::vector<StoreOp> ops{tombstone(4), EraseHeldSeed{node(4)},
                                   PutPeer{node(7), "tcp://host:1", false}};
    REQUIRE(store->apply(ops));
    CHECK(traces.count_in_folder(folder.path()) == 0);
    const auto check = store->verify_log().value();
    CHECK_MESSAGE(!check.first_bad, check.detail);
    CHECK(check.entries == 3);
    CHECK(load(*store).peers.size() == 1);
}

TEST_CASE("a state of the next version is refused in one line and left alone") {
    const TemporaryFolder folder;
    make_version_1(folder.path());
    const auto next = std::to_string(schema::kVersion + 1);
    run_sql(folder.path(), "PRAGMA user_version = " + next);
    const auto store = Store::open(folder.path(), binding());
    REQUIRE(!store);
    CHECK(store.error().detail.find("state.db: has schema version " + next) != std::string::npos);
    CHECK(store.error().detail.find('\n') == std::string::npos);
    CHECK(version_of(folder.path()) == schema::kVersion + 1);
    CHECK_FALSE(verify_log_of(folder.path()));

    // The refusal is about the number alone.
    run_sql(folder.path(), "PRAGMA user_version = 1");
    CHECK(Store::open(folder.path(), binding()));
}

TEST_CASE("another node's old state is not upgraded") {
    const TemporaryFolder folder;
    make_version_1(folder.path());
    const auto store = Store::open(folder.path(), {node(1), {}});
    REQUIRE(!store);
    CHECK(store.error().detail.find("belongs to node") != std::string::npos);
    CHECK(version_of(folder.path()) == 1);
}
