#include "node/storage/storage_thread.hpp"

#include <csignal>
#include <future>
#include <mutex>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

/// While it lives, no file of this process can grow beyond `bytes`: larger commits fail half-way.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    void (*handler_)(int);
    rlimit before_{};
};

struct Answer {
    bool stored = false;
    std::optional<Error> failure;  ///< what the thread said when the answer came
};

/// Submits and waits.
Answer write(StorageThread& thread, std::vector<StoreOp> ops) {
    std::promise<Answer> answer;
    REQUIRE(thread.submit(std::move(ops), [&](Result<void> result) {
        answer.set_value({result.has_value(), thread.failure()});
    }));
    return answer.get_future().get();
}

}  // namespace

// What an answer captures is declared before the thread, whose end waits for the answers still to come.

TEST_CASE("batches are durable in their order and all are answered before the thread ends") {
    const TemporaryFolder folder;
    constexpr std::uint32_t kBatches = 200;
    std::vector<std::uint32_t> answered;  // written by the storage thread alone, read after it ended
    {
        StorageThread thread(open(folder.path()));
        for (std::uint32_t i = 0; i < kBatches; ++i) {
            REQUIRE(
                thread.submit({PutRecipient{node(i), SeedVersion{1}}}, [&answered, i](Result<void> result) {
                    if (result) answered.push_back(i);
                }));
        }
    }
    REQUIRE(answered.size() == kBatches);
    CHECK(std::is_sorted(answered.begin(), answered.end()));
    CHECK(load(*open(folder.path())).recipients.size() == kBatches);
}

TEST_CASE("batches that wait together share transactions, and one bad batch fails alone") {
    const TemporaryFolder folder;
    std::promise<void> all_queued;
    std::promise<void> again;
    std::promise<void> done;
    StorageThread thread(open(folder.path()));
    // Holds the storage thread in the first answer until all others wait.
    REQUIRE(thread.submit({tombstone(1)}, [&](Result<void>) { all_queued.get_future().wait(); }));
    std::vector<std::future<bool>> results;
    for (std::uint32_t i = 0; i < 20; ++i) {
        auto result = std::make_shared<std::promise<bool>>();
        results.push_back(result->get_future());
        const auto owner = i == 7 ? 1 : 100 + i;  // 1 has left: its seed is refused
        REQUIRE(thread.submit({held(owner, 1)},
                              [result](Result<void> outcome) { result->set_value(outcome.has_value()); }));
    }
    all_queued.set_value();
    for (std::uint32_t i = 0; i < 20; ++i)
        CHECK(results[i].get() == (i != 7));
    auto counters = thread.counters();
    CHECK(counters.batches >= 20);
    CHECK(counters.failures == 1);

    // The same without a bad one takes two transactions, not twenty.
    const auto before = counters.transactions;
    REQUIRE(thread.submit({tombstone(2)}, [&](Result<void>) { again.get_future().wait(); }));
    for (std::uint32_t i = 0; i < 20; ++i)
        REQUIRE(thread.submit({held(200 + i, 1)}, [&, i](Result<void>) {
            if (i == 19) done.set_value();
        }));
    again.set_value();
    done.get_future().wait();
    counters = thread.counters();
    CHECK(counters.transactions - before <= 3);
    CHECK(counters.longest_latency >= counters.latency_at(0.5));
    CHECK(counters.latency_at(0.5).count() > 0);
}

TEST_CASE("a full queue refuses and says so, and what was taken is still done") {
    const TemporaryFolder folder;
    std::atomic<std::size_t> answers{0};
    std::size_t taken = 0;
    {
        std::promise<void> go;
        std::promise<void> blocked;
        StorageThread thread(open(folder.path()));
        REQUIRE(thread.submit({}, [&](Result<void>) {
            blocked.set_value();
            go.get_future().wait();
        }));
        blocked.get_future().wait();
        Result<void> result;
        while (taken <= kMaxQueuedBatches) {
            result = thread.submit({}, [&](Result<void>) { ++answers; });
            if (!result) break;
            ++taken;
        }
        CHECK(taken == kMaxQueuedBatches);
        REQUIRE(!result);
        CHECK(result.error().detail.find("too many writes are waiting") != std::string::npos);
        CHECK(thread.counters().waiting == kMaxQueuedBatches);
        CHECK(!thread.post([](Store&) { FAIL("a refused task ran"); }));
        go.set_value();
    }
    CHECK(answers == taken);
}

TEST_CASE("an erased seed is nowhere in memory when its erasure is answered") {
    const TemporaryFolder folder;
    constexpr std::size_t kSize = 50000;
    const Traces traces(payload(1000004, kSize)->view());  // of held(1, 1), made and wiped again
    std::promise<void> stored;
    std::promise<std::size_t> left;
    StorageThread thread(open(folder.path()));
    REQUIRE(thread.submit({held(1, 1, kSize)}, [&](Result<void>) { stored.set_value(); }));
    stored.get_future().wait();
    REQUIRE(traces.count_in_folder(folder.path()) > 0);
    REQUIRE(thread.submit({tombstone(1), EraseHeldSeed{node(1)}},
                          [&](Result<void>) { left.set_value(traces.windows_in_own_memory()); }));
    CHECK(left.get_future().get() == 0);
    CHECK(traces.count_in_folder(folder.path()) == 0);
}

TEST_CASE("a task runs in its turn, between batches and outside of any transaction") {
    const TemporaryFolder folder;
    std::promise<void> all_queued;
    std::vector<std::size_t> tombstones;  // as each task found them
    std::vector<bool> applied;
    {
        StorageThread thread(open(folder.path()));
        REQUIRE(thread.submit({tombstone(1)}, [&](Result<void>) { all_queued.get_future().wait(); }));
        // All of these wait together: without the tasks they would share one transaction.
        for (std::uint32_t i = 2; i <= 4; ++i) {
            REQUIRE(thread.submit({tombstone(i)}, {}));
            REQUIRE(thread.post([&, i](Store& store) {
                tombstones.push_back(load(store).tombstones.size());
                // A transaction inside of another one is refused.
                applied.push_back(
                    store.apply(std::vector<StoreOp>{PutRecipient{node(i), SeedVersion{1}}}).has_value());
            }));
        }
        REQUIRE(thread.submit({tombstone(5)}, {}));
        all_queued.set_value();
    }
    CHECK(tombstones == std::vector<std::size_t>{2, 3, 4});
    CHECK(applied == std::vector<bool>{true, true, true});
    const auto state = load(*open(folder.path()));
    CHECK(state.tombstones.size() == 5);
    CHECK(state.recipients.size() == 3);
}

TEST_CASE("a write that did not reach the disk is told until the next one did") {
    const TemporaryFolder folder;
    StorageThread thread(open(folder.path()));
    CHECK(!thread.failure());
    const auto good = write(thread, {tombstone(1)});
    CHECK(good.stored);
    CHECK(!good.failure);
    // What is refused was never meant for the disk.
    const auto refused = write(thread, {held(1, 1)});
    CHECK(!refused.stored);
    CHECK(!refused.failure);
    {
        const FileSizeLimit limit(200000);
        const auto failed = write(thread, {PutOwnSeed{SeedVersion{1}, statement("r"), payload(1, 1000000)}});
        CHECK(!failed.stored);
        REQUIRE(failed.failure);
        CHECK(failed.failure->detail.find("state.db") != std::string::npos);
        CHECK(failed.failure->detail.find('\n') == std::string::npos);
        // A refusal does not show that the disk is well again.
        CHECK(write(thread, {held(1, 1)}).failure);
    }
    const auto next = write(thread, {tombstone(2)});
    CHECK(next.stored);
    CHECK(!next.failure);
    CHECK(!thread.failure());
}
