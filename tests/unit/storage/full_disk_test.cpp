#include <csignal>
#include <fstream>

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

/// A file system of its own, of a few MiB.
class SmallDisk {
  public:
    explicit SmallDisk(const std::string& size) {
        mounted_ =
            ::mount("none", folder_.path().c_str(), "tmpfs", 0, ("mode=0700,size=" + size).c_str()) == 0;
    }
    ~SmallDisk() {
        if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
    }
    [[nodiscard]] bool mounted() const { return mounted_; }
    [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }

    /// Writes until nothing fits any more.
    void fill() const {
        std::ofstream out(path() / "filler", std::ios::binary | std::ios::app);
        const std::string piece(512, 'f');
        while (out.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {
        }
    }
    void empty() const { std::filesystem::remove(path() / "filler"); }

  private:
    TemporaryFolder folder_;
    bool mounted_ = false;
};

constexpr std::size_t kSeedSize = 400 * 1024;

}  // namespace

TEST_CASE("on a full disk seeds are refused, but an exit is stored and its seed erased") {
    const SmallDisk disk("16m");
    if (!disk.mounted()) {
        MESSAGE("skipped: mounting a small disk needs root");
        return;
    }
    const auto folder = disk.path() / "node";
    const auto store = open(folder);
    for (std::uint32_t i = 0; i < 4; ++i)
        REQUIRE(store->apply(std::vector<StoreOp>{held(i, 1, kSeedSize)}));
    disk.fill();

    const auto refused = store->apply(std::vector<StoreOp>{held(10, 1, kSeedSize)});
    REQUIRE(!refused);
    CHECK(refused.error().detail.find("No space left on device") != std::string::npos);
    CHECK(refused.error().code == ErrorCode::internal);  // it passes when there is room again
    CHECK(load(*store).held_seeds.size() == 4);

    // All that is held goes in one batch: the reserve has room for it.
    const auto reserve = std::filesystem::file_size(folder / "reserve");
    std::vector<StoreOp> exit{tombstone(0)};
    for (std::uint32_t i = 0; i < 4; ++i)
        exit.push_back(EraseHeldSeed{node(i)});
    const auto applied = store->apply(exit);
    REQUIRE_MESSAGE(applied, applied.error().text());
    CHECK(std::filesystem::file_size(folder / "reserve") < reserve);  // it really was needed
    for (std::uint32_t i = 0; i < 4; ++i)
        CHECK(Traces(held(i, 1, kSeedSize).payload->view()).count_in_folder(folder) == 0);
    CHECK(load(*store).tombstones.size() == 1);

    disk.empty();
    REQUIRE(store->settle());
    CHECK(std::filesystem::file_size(folder / "reserve") >= Reserve::size_for(0));
    CHECK(store->apply(std::vector<StoreOp>{held(10, 1, kSeedSize)}));
}

TEST_CASE("on a full disk what the promise to forget needs is stored, and nothing else") {
    const SmallDisk disk("16m");
    if (!disk.mounted()) {
        MESSAGE("skipped: mounting a small disk needs root");
        return;
    }
    const auto store = open(disk.path() / "node");
    const auto apply_when_full = [&](const StoreOp& op) {
        disk.empty();
        REQUIRE(store->settle());
        // It ends with a write-ahead log of no bytes, so that the next write needs room.
        REQUIRE(store->apply(std::vector<StoreOp>{EraseHeldSeed{node(1)}}));
        REQUIRE(store->settle());
        disk.fill();
        return store->apply(std::vector<StoreOp>{op}).has_value();
    };
    CHECK_FALSE(apply_when_full(PutAsked{node(2), SeedVersion{1}}));
    CHECK_FALSE(apply_when_full(PutPeer{node(2), std::nullopt, false}));
    CHECK(apply_when_full(tombstone(3)));
    CHECK(apply_when_full(EraseHeldSeed{node(3)}));
    CHECK(apply_when_full(PutRevocation{node(4), statement("revocation"), SeedVersion{0}}));
    CHECK(apply_when_full(SetRestored{}));
    CHECK(apply_when_full(PutExiting{statement("leaving")}));
    CHECK(apply_when_full(PutHolderList{statement("list")}));
    CHECK(apply_when_full(PutRetired{"given up"}));
}

TEST_CASE("a full disk does not keep a node from starting") {
    const SmallDisk disk("8m");
    if (!disk.mounted()) {
        MESSAGE("skipped: mounting a small disk needs root");
        return;
    }
    const auto folder = disk.path() / "node";
    {
        const auto store = open(folder);
        REQUIRE(store->apply(std::vector<StoreOp>{held(1, 1, kSeedSize)}));
    }
    disk.fill();
    const auto store = open(folder);
    CHECK(load(*store).held_seeds.size() == 1);
    const auto erased = store->apply(std::vector<StoreOp>{tombstone(1), EraseHeldSeed{node(1)}});
    REQUIRE_MESSAGE(erased, erased.error().text());
    CHECK(Traces(held(1, 1, kSeedSize).payload->view()).count_in_folder(folder) == 0);
}

TEST_CASE("a write that fails half-way leaves everything as it was") {
    // A limit on file sizes makes write() fail in the middle of a commit; no root needed.
    const TemporaryFolder folder;
    {
        const auto store = open(folder.path());
        REQUIRE(store->apply(std::vector<StoreOp>{tombstone(1), held(2, 1)}));
    }
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        auto store = Store::open(folder.path(), binding());
        if (!store) ::_exit(1);
        const rlimit limit{200000, 200000};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
        for (int i = 0; i < 3; ++i)
            if ((*store)->apply(std::vector<StoreOp>{
                    tombstone(3), PutOwnSeed{SeedVersion{1}, statement("r"), payload(1, 1000000)}}))
                ::_exit(3);
        const auto loaded = (*store)->load();
        if (!loaded || loaded->state.tombstones.size() != 1 || loaded->state.own_seed) ::_exit(4);
        // Small batches still go through.
        if (!(*store)->apply(std::vector<StoreOp>{tombstone(4)})) ::_exit(5);
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    const auto state = load(*open(folder.path()));
    CHECK(state.tombstones.size() == 2);
    CHECK(state.held_seeds.size() == 1);
    CHECK(!state.own_seed);
}
