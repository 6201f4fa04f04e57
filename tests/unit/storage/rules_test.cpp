#include <fstream>

#include <doctest/doctest.h>
#include <sys/mount.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

StartId start_of_rules(std::uint8_t number) {
    StartId start;
    start.value[0] = number;
    return start;
}

/// A file system of a few MiB.
struct RulesDisk {
    TemporaryFolder folder;
    bool mounted = ::mount("none", folder.path().c_str(), "tmpfs", 0, "mode=0700,size=8m") == 0;

    RulesDisk() = default;
    ~RulesDisk() {
        if (mounted) ::umount2(folder.path().c_str(), MNT_DETACH);
    }
    RulesDisk(const RulesDisk&) = delete;
    RulesDisk& operator=(const RulesDisk&) = delete;

    void fill() const {
        std::ofstream out(folder.path() / "filler", std::ios::binary);
        const std::string piece(512, 'f');
        while (out.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {
        }
    }
};

}  // namespace

TEST_CASE("a lease goes with its seed, so that a later seed of the owner does not have it") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    apply(*store, {held(1, 1), PutHeldLease{node(1), 7, WallTime{std::chrono::seconds{100}}}});
    REQUIRE(load(*store).held_leases.size() == 1);
    apply(*store, {EraseHeldSeed{node(1)}});
    apply(*store, {held(1, 2)});
    CHECK(load(*store).held_leases.empty());
}

TEST_CASE("two different lists of holders of one owner are kept, and no third one") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    for (const auto* text : {"first", "first", "second", "third"})
        apply(*store, {PutPeerList{node(1), statement(text)}});
    apply(*store, {PutPeerList{node(2), statement("third")}});
    std::size_t of_first_owner = 0;
    for (const auto& kept : load(*store).peer_lists) {
        const bool is_third = kept.list == statement("third");
        CHECK(is_third == (kept.owner == node(2)));
        of_first_owner += kept.owner == node(1) ? 1 : 0;
    }
    CHECK(of_first_owner == 2);
}

TEST_CASE("the number of a start never goes back, and a start stays one that others have seen") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    apply(*store,
          {PutStart{start_of_rules(1), {}, 5}, PutStart{start_of_rules(2), start_of_rules(1), 9, true}});
    apply(*store,
          {PutStart{start_of_rules(1), {}, 4}, PutStart{start_of_rules(2), start_of_rules(1), 8, true}});
    const auto starts = load(*store).starts;
    REQUIRE(starts.size() == 2);
    CHECK(starts[0].number == 5);
    CHECK_FALSE(starts[0].seen_by_others);
    CHECK(starts[1].number == 9);
    CHECK(starts[1].seen_by_others);
    CHECK(starts[1].previous == start_of_rules(1));
}

TEST_CASE("on a full disk the list of our holders is stored with the help of the reserve") {
    const RulesDisk disk;
    if (!disk.mounted) {
        MESSAGE("skipped: mounting a small disk needs root");
        return;
    }
    const auto store = open(disk.folder.path() / "node");
    disk.fill();
    const auto list = statement(std::string(16 * 1024, 'l'));
    // What only delays something is refused, as soon as the files' last blocks are used up.
    Result<void> stored;
    for (std::uint32_t i = 1; stored && i < 1000; ++i)
        stored = store->apply(std::vector<StoreOp>{PutPeerList{node(i), list}});
    REQUIRE_FALSE(stored);
    CHECK(stored.error().code == ErrorCode::internal);
    stored = store->apply(std::vector<StoreOp>{PutHolderList{list}});
    REQUIRE_MESSAGE(stored, stored.error().text());
    CHECK(load(*store).holder_list->list == list);
}

TEST_CASE("an exit that is read from a stopped node's folder has the list of holders") {
    const TemporaryFolder folder;
    apply(*open(folder.path()), {PutExiting{statement("leaving")}, PutHolderList{statement("list")}});
    const auto exit = read_stored_exit(folder.path());
    REQUIRE(exit);
    REQUIRE(*exit);
    CHECK((*exit)->notice == statement("leaving"));
    REQUIRE((*exit)->list);
    CHECK((*exit)->list == statement("list"));
}
