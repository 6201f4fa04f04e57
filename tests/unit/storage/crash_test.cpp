#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

constexpr std::uint32_t kMaxBatches = 3000;
constexpr std::size_t kCrashSeedSize = 20000;

/// Batch i stores four things about node i and lets go of the seed before.
std::vector<StoreOp> batch(std::uint32_t i) {
    std::vector<StoreOp> ops{PutRecipient{node(i), SeedVersion{i + 1}}, held(i, 1, kCrashSeedSize),
                             PutReceipt{node(i), statement("receipt")}};
    if (i > 0) {
        ops.push_back(tombstone(i - 1));
        ops.push_back(EraseHeldSeed{node(i - 1)});
    }
    return ops;
}

/// Applies batches from `first` on until it is killed, and writes each number to `acknowledged` once durable.
[[noreturn]] void apply_until_killed(const std::filesystem::path& folder, std::uint32_t first,
                                     int acknowledged) {
    auto store = Store::open(folder, binding());
    if (!store) ::_exit(1);
    for (std::uint32_t i = first; i < kMaxBatches; ++i) {
        if (!(*store)->apply(batch(i))) ::_exit(2);
        if (::write(acknowledged, &i, sizeof i) != sizeof i) ::_exit(3);
    }
    ::_exit(4);
}

/// Kills the child `after` it has acknowledged so many batches, which on a slow machine takes what it takes.
/// @return how many it had acknowledged when it was killed, given `first` before it.
std::uint32_t run_and_kill(const std::filesystem::path& folder, std::uint32_t first, std::uint32_t batches,
                           std::chrono::microseconds after) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) apply_until_killed(folder, first, ends[1]);
    ::close(ends[1]);
    std::uint32_t count = first;
    const auto read_one = [&] {
        std::uint32_t i = 0;
        if (::read(ends[0], &i, sizeof i) != sizeof i) return false;
        count = i + 1;
        return true;
    };
    while (count < first + batches && read_one()) {
    }
    std::this_thread::sleep_for(after);
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));  // anything else is a failure of the child's own
    while (read_one()) {
    }
    ::close(ends[0]);
    return count;
}

}  // namespace

TEST_CASE("after a SIGKILL at any moment every acknowledged batch is there, and no half batch") {
    for (std::uint32_t i = 0; i < 600; ++i)
        static_cast<void>(node(i));  // keys are made before the clock runs
    const TemporaryFolder folder;
    std::mt19937 random(11);
    std::uint32_t count = 0;
    int crashes = 0;
    for (; crashes < 40 && count < 500; ++crashes) {
        // While it opens the store, in or between the first batches, or later.
        const auto batches = static_cast<std::uint32_t>(random() % 4 == 0 ? 0 : random() % 12);
        const auto acknowledged =
            run_and_kill(folder.path(), count, batches, std::chrono::microseconds(random() % 8000));
        const auto store = open(folder.path());
        const auto state = load(*store);
        const auto stored = static_cast<std::uint32_t>(state.recipients.size());
        INFO("crash " << crashes << ": " << acknowledged << " acknowledged, " << stored << " stored");
        // At most one batch was under way.
        CHECK(stored >= acknowledged);
        CHECK(stored <= acknowledged + 1);
        CHECK(state.receipts.size() == stored);
        CHECK(state.tombstones.size() == (stored == 0 ? 0 : stored - 1));
        REQUIRE(state.held_seeds.size() == (stored == 0 ? 0 : 1));
        if (stored > 1) {
            CHECK(state.held_seeds[0].owner == node(stored - 1));
            const Traces gone(held(stored - 2, 1, kCrashSeedSize).payload->view());
            CHECK(gone.count_in_folder(folder.path()) == 0);
        }
        count = stored;
    }
    CHECK(crashes >= 10);
    CHECK(count >= 20);
}
