#include <fstream>
#include <map>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

constexpr std::size_t kBackedUpSeedSize = 30000;

/// A store with something in every table.
std::unique_ptr<Store> filled(const std::filesystem::path& directory) {
    auto store = open(directory);
    const auto own = held(9, 7, kBackedUpSeedSize);
    apply(*store, {tombstone(1),
                   PutRecipient{node(2), SeedVersion{3}, WallTime{std::chrono::seconds{50}}},
                   PutReceipt{node(3), statement("receipt")},
                   held(4, 5, kBackedUpSeedSize),
                   PutHeldLease{node(4), 2, WallTime{std::chrono::seconds{60}}},
                   PutOwnSeed{own.version, own.record, own.payload},
                   PutOwnLease{8, WallTime{std::chrono::seconds{70}}},
                   PutExiting{statement("leaving")},
                   PutLeftReceipt{node(5), statement("left")},
                   PutEquivocation{node(6), SeedVersion{1}, statement("one"), statement("two")},
                   PutPeer{node(7), "tcp://host:1", false},
                   PutPeer{node(8), std::nullopt, true},
                   PutHolderList{statement("list")},
                   PutPeerList{node(1), statement("their list")},
                   PutAsked{node(4), SeedVersion{6}},
                   PutStart{StartId{}, StartId{}, 3},
                   PutPeerState{node(2), 4, statement("state")},
                   PutRetired{"given up"},
                   PutRevocation{node(10), statement("revocation"), SeedVersion{2}},
                   PutSuccession{statement("succession")},
                   PutMember{node(11), 1, statement("membership")},
                   PutFollowedKey{node(12)},
                   PutOwnMembership{statement("own membership")}});
    return store;
}

/// How many rows each table has.
std::map<std::string, std::int64_t> rows_of(const std::filesystem::path& database) {
    const auto connection = sqlite::Connection::open(database, sqlite::Access::read_only).value();
    std::map<std::string, std::int64_t> rows;
    auto names = connection->prepare("SELECT name FROM sqlite_master WHERE type = 'table'").value();
    while (names.step().value())
        rows[names.text(0)] = connection->integer("SELECT count(*) FROM " + names.text(0)).value();
    return rows;
}

/// Puts `file` into a folder of its own, as `unlearnctl restore` does.
void restore(const std::filesystem::path& file, const std::filesystem::path& directory) {
    std::filesystem::create_directory(directory);
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
    std::filesystem::copy_file(file, directory / "state.db");
}

}  // namespace

TEST_CASE("a backup holds no seed, and everything else") {
    const TemporaryFolder folder;
    const auto file = folder.path() / "backup.db";
    const auto store = filled(folder.path() / "node");
    const Traces held_traces(held(4, 5, kBackedUpSeedSize).payload->view());
    const Traces own_traces(held(9, 7, kBackedUpSeedSize).payload->view());
    const auto previous = ::umask(0);
    const auto made = store->backup(file);
    ::umask(previous);
    REQUIRE_MESSAGE(made, made.error().text());

    // The searches do find what is there.
    REQUIRE(held_traces.count_in_folder(folder.path() / "node") > 0);
    REQUIRE(own_traces.count_in_folder(folder.path() / "node") > 0);
    CHECK(held_traces.count_in_folder(folder.path()) == 0);
    CHECK(own_traces.count_in_folder(folder.path()) == 0);
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0600);
    for (const char* part : {"-wal", "-shm", "-journal"})
        CHECK_FALSE(std::filesystem::exists(file.string() + part));

    for (const auto& entry : rows_of(file)) {
        const std::string& table = entry.first;
        const bool left_out = table == "held_seeds" || table == "held_leases" || table == "own_seed";
        CHECK_MESSAGE((entry.second > 0) != left_out, table);
    }

    restore(file, folder.path() / "restored");
    const auto copy = open(folder.path() / "restored");
    const auto before = load(*store);
    const auto after = load(*copy);
    CHECK(after.held_seeds.empty());
    CHECK(after.held_leases.empty());
    CHECK(!after.own_seed);
    CHECK(after.last_own_version == SeedVersion{7});
    CHECK_FALSE(before.restored);
    CHECK(after.restored);
    CHECK(after.ever_restored);
    CHECK_FALSE(before.ever_restored);
    REQUIRE(after.holder_list);
    CHECK(after.holder_list->list == statement("list"));
    CHECK(after.peer_lists.size() == 1);
    CHECK(after.asked.size() == 1);
    CHECK(after.starts.size() == 1);
    CHECK(after.peer_states.size() == 1);
    apply(*copy, {ClearRestored{}});
    CHECK_FALSE(load(*copy).restored);
    CHECK(load(*copy).ever_restored);
    REQUIRE(after.tombstones.size() == 1);
    CHECK(after.tombstones[0].owner == node(1));
    CHECK(after.tombstones[0].notice == before.tombstones[0].notice);
    CHECK(after.tombstones[0].erased == before.tombstones[0].erased);
    REQUIRE(after.recipients.size() == 1);
    CHECK(after.recipients[0].version == SeedVersion{3});
    CHECK(after.recipients[0].lease_until == WallTime{std::chrono::seconds{50}});
    REQUIRE(after.receipts.size() == 1);
    CHECK(after.receipts[0].receipt == statement("receipt"));
    REQUIRE(after.own_lease);
    CHECK(after.own_lease->number == 8);
    REQUIRE(after.exiting);
    CHECK(after.exiting->notice == statement("leaving"));
    CHECK(after.left_receipts.size() == 1);
    CHECK(after.equivocations.size() == 1);
    CHECK(after.peers.size() == 2);
    REQUIRE(after.retired);
    CHECK(after.retired->reason == "given up");

    const auto entries = store->read_log(0, 100).value();
    CHECK(copy->read_log(0, 100).value().size() == entries.size());
    const auto check = copy->verify_log().value();
    CHECK_MESSAGE(!check.first_bad, check.detail);
    CHECK(check.entries == entries.size());
}

TEST_CASE("a restored node goes on: with its log, and with newer versions of its seed") {
    const TemporaryFolder folder;
    const auto file = folder.path() / "backup.db";
    {
        const auto store = filled(folder.path() / "node");
        REQUIRE(store->backup(file));
        // The copying has not changed the store.
        CHECK(load(*store).held_seeds.size() == 1);
        apply(*store, {held(4, 6, kBackedUpSeedSize)});
    }
    restore(file, folder.path() / "restored");
    const auto copy = open(folder.path() / "restored");
    const auto own = held(9, 8, kBackedUpSeedSize);
    apply(*copy,
          {tombstone(11), held(4, 5, kBackedUpSeedSize), PutOwnSeed{own.version, own.record, own.payload}});
    CHECK(!copy->verify_log().value().first_bad);
    const auto state = load(*copy);
    CHECK(state.tombstones.size() == 2);
    CHECK(state.held_seeds.size() == 1);
    CHECK(state.last_own_version == SeedVersion{8});
}

TEST_CASE("a backup replaces no file and leaves nothing behind when it fails") {
    const TemporaryFolder folder;
    const auto store = filled(folder.path() / "node");
    const auto file = folder.path() / "backup.db";
    std::ofstream(file) << "precious";
    const auto refused = store->backup(file);
    REQUIRE(!refused);
    CHECK(refused.error().detail.find("backup.db: cannot make: File exists") != std::string::npos);
    CHECK(content_of(file) == "precious");

    CHECK(!store->backup(folder.path() / "missing" / "backup.db"));
    CHECK(!store->failure());  // the state itself was not written to
    CHECK_FALSE(std::filesystem::exists(folder.path() / "missing"));
    CHECK(store->backup(folder.path() / "it's \"here\".db"));
    apply(*store, {tombstone(12)});
}
