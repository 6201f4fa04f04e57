#include "node/storage/store.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/limits.hpp"
#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

unsigned mode_of(const std::filesystem::path& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

std::string refusal(Store& store, std::vector<StoreOp> ops) {
    const auto done = store.apply(ops);
    REQUIRE(!done);
    CHECK(done.error().code == ErrorCode::not_storable);
    CHECK(done.error().detail.find('\n') == std::string::npos);
    return done.error().detail;
}

std::string open_error(const std::filesystem::path& folder, const Binding& who = binding()) {
    const auto store = Store::open(folder, who);
    REQUIRE(!store);
    CHECK(store.error().detail.find('\n') == std::string::npos);
    return store.error().detail;
}

}  // namespace

TEST_CASE("a new folder and its files are for their owner alone") {
    const TemporaryFolder folder;
    const auto previous = ::umask(0);
    const auto directory = folder.path() / "deep" / "node";
    const auto store = open(directory);
    REQUIRE(store->apply(std::vector<StoreOp>{held(1, 1)}));
    ::umask(previous);
    CHECK(mode_of(directory) == 0700);
    CHECK(mode_of(directory / "state.db") == 0600);
    CHECK(mode_of(directory / "state.db-wal") == 0600);
    CHECK(mode_of(directory / "reserve") == 0600);
    CHECK(load(*store).tombstones.empty());
}

TEST_CASE("a folder that others can write to is refused") {
    const TemporaryFolder folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0770));
    CHECK(contains(open_error(folder.path()), "can be written by others: chmod 700"));
}

TEST_CASE("everything that was stored comes back after a restart, in the order of NodeId") {
    const TemporaryFolder folder;
    {
        const auto store = open(folder.path());
        for (const std::uint32_t i : {5u, 3u, 9u, 1u}) {
            apply(*store, {tombstone(i), PutRecipient{node(i + 100), SeedVersion{i}},
                           PutReceipt{node(i + 200), statement("receipt " + std::to_string(i))},
                           held(i + 300, i, 1000 * i)});
        }
        const auto own = held(0, 7, 20000);
        apply(*store,
              {PutOwnSeed{own.version, own.record, own.payload}, PutExiting{statement("leaving"), true}});
    }
    const auto store = open(folder.path());
    const auto state = load(*store);
    REQUIRE(state.tombstones.size() == 4);
    REQUIRE(state.recipients.size() == 4);
    REQUIRE(state.receipts.size() == 4);
    REQUIRE(state.held_seeds.size() == 4);
    for (std::size_t i = 1; i < 4; ++i) {
        CHECK(state.tombstones[i - 1].owner < state.tombstones[i].owner);
        CHECK(state.recipients[i - 1].peer < state.recipients[i].peer);
        CHECK(state.receipts[i - 1].holder < state.receipts[i].holder);
        CHECK(state.held_seeds[i - 1].owner < state.held_seeds[i].owner);
    }
    for (const auto& one : state.tombstones)
        CHECK(one.notice == statement("notice"));
    for (const std::uint32_t i : {5u, 3u, 9u, 1u}) {
        const auto expected = held(i + 300, i, 1000 * i);
        bool found = false;
        for (const auto& seed : state.held_seeds) {
            if (seed.owner != expected.owner) continue;
            found = true;
            CHECK(seed.version == expected.version);
            CHECK(seed.record == expected.record);
            CHECK(to_hex(seed.payload->view()) == to_hex(expected.payload->view()));
        }
        CHECK(found);
    }
    REQUIRE(state.own_seed);
    CHECK(state.own_seed->version == SeedVersion{7});
    CHECK(to_hex(state.own_seed->payload->view()) == to_hex(held(0, 7, 20000).payload->view()));
    REQUIRE(state.exiting);
    CHECK(state.exiting->notice == statement("leaving"));
    CHECK(state.exiting->met);
}

TEST_CASE("peers are in the order in which they were added, and who was removed comes last") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    const auto order = [&] {
        std::vector<NodeId> out;
        for (const auto& peer : load(*store).peers)
            out.push_back(peer.peer);
        return out;
    };
    apply(*store, {PutPeer{node(3), {}}, PutPeer{node(1), {}}, PutPeer{node(2), {}}});
    CHECK(order() == std::vector{node(3), node(1), node(2)});
    apply(*store, {PutPeer{node(3), "tcp://[::1]:1"}});
    CHECK(order() == std::vector{node(3), node(1), node(2)});
    apply(*store, {PutPeer{node(3), {}, true}});
    apply(*store, {PutPeer{node(3), {}}});
    CHECK(order() == std::vector{node(1), node(2), node(3)});
}

TEST_CASE("the first tombstone and exit are kept, the last receipt, and the highest versions") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    apply(*store, {tombstone(1, "first"), tombstone(1, "second"), PutReceipt{node(2), statement("first")},
                   PutReceipt{node(2), statement("second")}, PutExiting{statement("first")},
                   PutExiting{statement("second")}, PutRecipient{node(3), SeedVersion{9}},
                   PutRecipient{node(3), SeedVersion{4}}, held(4, 5), held(4, 3), held(5, 1), held(5, 2)});
    const auto own = [](std::uint64_t version) {
        auto seed = held(9, version);
        return PutOwnSeed{seed.version, seed.record, seed.payload};
    };
    apply(*store, {own(2), own(3), own(1)});
    const auto state = load(*store);
    REQUIRE(state.tombstones.size() == 1);
    CHECK(state.tombstones[0].notice == statement("first"));
    REQUIRE(state.receipts.size() == 1);
    CHECK(state.receipts[0].receipt == statement("second"));
    CHECK(state.exiting->notice == statement("first"));
    CHECK(state.recipients[0].version == SeedVersion{9});
    REQUIRE(state.held_seeds.size() == 2);
    for (const auto& seed : state.held_seeds)
        CHECK(seed.version == (seed.owner == node(4) ? SeedVersion{5} : SeedVersion{2}));
    CHECK(state.own_seed->version == SeedVersion{3});
}

TEST_CASE("a seed of an owner who has left is refused, with its whole batch") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    apply(*store, {held(1, 1), tombstone(1), EraseHeldSeed{node(1)}});
    CHECK(contains(refusal(*store, {tombstone(2), held(1, 2)}), "who has left, refused"));
    const auto state = load(*store);
    CHECK(state.tombstones.size() == 1);
    CHECK(state.held_seeds.empty());
}

TEST_CASE("what could not be loaded again is not stored, and leaves everything as it was") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    auto seed = held(1, 1);
    seed.payload = nullptr;
    CHECK(contains(refusal(*store, {tombstone(7), seed}), "seed of 0 bytes"));
    seed.payload = payload(1, kMaxSeedBytes + 1);
    CHECK(contains(refusal(*store, {tombstone(7), seed}), "cannot be stored"));
    CHECK(contains(refusal(*store, {PutTombstone{node(8), {}}}), "signed statement of 0 bytes"));
    const PutRecipient unreachable{node(9), SeedVersion{UINT64_MAX}};
    CHECK(contains(refusal(*store, {tombstone(7), unreachable}), "63 bits"));
    const auto state = load(*store);
    CHECK(state.tombstones.empty());
    CHECK(state.held_seeds.empty());
    apply(*store, {held(1, 1, 1), held(2, 1, kMaxSeedBytes)});  // the smallest and the largest fit
    CHECK(load(*store).held_seeds.size() == 2);
}

TEST_CASE("a folder is used by one store at a time, in this process or another") {
    const TemporaryFolder folder;
    auto store = open(folder.path());
    CHECK(contains(open_error(folder.path()), "folder is in use"));
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const auto second = Store::open(folder.path(), binding());
        ::_exit(!second && second.error().detail.starts_with("folder is in use") ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    store.reset();
    CHECK(Store::open(folder.path(), binding()));
}

TEST_CASE("a folder is bound to its node and network") {
    const TemporaryFolder folder;
    open(folder.path()).reset();
    CHECK(contains(open_error(folder.path(), {node(1), {}}), "belongs to node"));
    auto elsewhere = binding();
    elsewhere.network.value[0] = 1;
    CHECK(contains(open_error(folder.path(), elsewhere), "belongs to another network"));
}

TEST_CASE("a newer version's database and another program's are refused") {
    const TemporaryFolder folder;
    open(folder.path()).reset();
    run_sql(folder.path(), "PRAGMA user_version = 99");
    CHECK(contains(open_error(folder.path()), "has schema version 99, this program knows only up to " +
                                                  std::to_string(schema::kVersion)));
    run_sql(folder.path(), "PRAGMA application_id = 12");
    CHECK(contains(open_error(folder.path()), "is not a database of unlearnd"));
}

TEST_CASE("the reserve follows what is held") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    const auto reserve = folder.path() / "reserve";
    CHECK(std::filesystem::file_size(reserve) == Reserve::size_for(0));
    apply(*store, {held(1, 1, 3000000)});
    CHECK(std::filesystem::file_size(reserve) >= 1024 * 1024 + 2 * 3000000);
    apply(*store, {EraseHeldSeed{node(1)}});
    REQUIRE(store->settle());
    CHECK(std::filesystem::file_size(reserve) == Reserve::size_for(0));
}

TEST_CASE("storage says which failures do not pass: values that do not fit, and broken constraints") {
    const TemporaryFolder folder;
    REQUIRE(open(folder.path())->apply(std::vector<StoreOp>{PutRecipient{node(1), SeedVersion{3}, {}}}));
    run_sql(folder.path(), "ALTER TABLE recipients ADD COLUMN small INTEGER CHECK (version < 5)");
    const auto store = open(folder.path());
    const auto code_of = [&store](const StoreOp& op) {
        const auto done = store->apply(std::vector<StoreOp>{op});
        REQUIRE_FALSE(done);
        CHECK_FALSE(done.error().text().empty());
        return done.error().code;
    };
    const SeedVersion beyond{std::uint64_t{1} << 63};
    auto late = held(2, 1);
    REQUIRE(store->apply(std::vector<StoreOp>{tombstone(2)}));
    CHECK(code_of(late) == ErrorCode::not_storable);
    auto large = held(3, 1);
    large.version = beyond;
    CHECK(code_of(large) == ErrorCode::not_storable);
    CHECK(code_of(PutHeldLease{node(3), std::uint64_t{1} << 63, {}}) == ErrorCode::not_storable);
    CHECK(code_of(PutOwnLease{std::uint64_t{1} << 63, {}}) == ErrorCode::not_storable);
    CHECK(code_of(PutRecipient{node(1), beyond, {}}) == ErrorCode::not_storable);
    CHECK(code_of(PutRecipient{node(1), SeedVersion{9}, {}}) == ErrorCode::not_storable);
    CHECK(code_of(PutReceipt{node(1), {}}) == ErrorCode::not_storable);
    CHECK_FALSE(store->failure());  // the disk is well
    CHECK(store->apply(std::vector<StoreOp>{PutRecipient{node(1), SeedVersion{4}, {}}}));
    CHECK(store->verify_log().value().entries == 3);
}

TEST_CASE("of a node's own starts the newest are kept, from one start to the next") {
    const TemporaryFolder folder;
    {
        const auto store = open(folder.path());
        std::vector<StoreOp> starts;
        for (std::uint64_t number = 1; number <= kMaxStartsKept + 3; ++number) {
            StartId start;
            for (std::size_t byte = 0; byte < 8; ++byte)
                start.value[byte] = static_cast<std::uint8_t>(number >> (8 * byte));
            starts.emplace_back(PutStart{start, {}, number, false});
        }
        REQUIRE(store->apply(starts));
    }
    const auto kept = load(*open(folder.path())).starts;
    REQUIRE(kept.size() == kMaxStartsKept);
    CHECK(kept.front().number == 4);
    CHECK(kept.back().number == kMaxStartsKept + 3);
}
