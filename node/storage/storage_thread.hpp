#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "node/storage/store.hpp"
#include "protocol/durable.hpp"

namespace unlearn::storage {

/// Batches that may wait; beyond this `submit` refuses, and the engine's own retry comes back.
inline constexpr std::size_t kMaxQueuedBatches = 4096;
/// Batches and payload bytes that may share one transaction.
inline constexpr std::size_t kMaxSharedBatches = 32;
inline constexpr std::size_t kMaxSharedBytes = 4 * 1024 * 1024;
/// Quiet time after which the store's housekeeping runs.
inline constexpr std::chrono::milliseconds kSettleAfter{20};

/// How long batches took from `submit` to durable.
struct StorageCounters {
    std::uint64_t batches = 0;       ///< completed, well or not
    std::uint64_t failures = 0;      ///< of them not stored
    std::uint64_t transactions = 0;  ///< fewer than batches when commits were shared
    std::uint64_t housekeeping_failures = 0;
    std::uint64_t waiting = 0;                   ///< in the queue now
    std::chrono::microseconds total_latency{0};  ///< sum over batches
    std::chrono::microseconds longest_latency{0};
    /// Batches by latency: entry i counts those below 2^i microseconds and not below 2^(i-1).
    std::array<std::uint64_t, 32> by_power_of_two{};

    /// An upper bound of the latency that the share `quantile` (0 to 1) of all batches stayed below.
    [[nodiscard]] std::chrono::microseconds latency_at(double quantile) const;
};

/// Owns a `Store` and the one thread that uses it.
///
/// Batches are carried out in the order of `submit`. Batches that wait together share one transaction, so
/// that an exit behind a burst of installs waits for one commit, not for all of them; when a shared
/// transaction fails, its batches are applied one by one and each gets its own result. All public functions
/// may be called from any thread.
class StorageThread {
  public:
    using Done = std::function<void(protocol::Result<void>)>;

    explicit StorageThread(std::unique_ptr<Store> store);
    /// Carries out everything that was queued, calls every `done`, then closes the store.
    ~StorageThread();
    StorageThread(const StorageThread&) = delete;
    StorageThread& operator=(const StorageThread&) = delete;

    /// Queues one batch. `done` is called once, on the storage thread, after the batch is durable or has
    /// failed; it must not throw and not block (post to your own executor).
    /// @return an error, and `done` is never called, when kMaxQueuedBatches wait already.
    [[nodiscard]] protocol::Result<void> submit(std::vector<protocol::StoreOp> ops, Done done);

    /// Runs a short task on the storage thread, in its turn and outside of any transaction. It must not
    /// throw.
    /// @return an error, and `task` is never called, when kMaxQueuedBatches wait already.
    [[nodiscard]] protocol::Result<void> post(std::function<void(Store&)> task);

    [[nodiscard]] StorageCounters counters() const;
    /// Why the last batch did not reach the disk; empty when it did.
    [[nodiscard]] std::optional<protocol::Error> failure() const;

  private:
    /// Either operations or a task.
    struct Batch {
        std::vector<protocol::StoreOp> ops;
        Done done;
        std::function<void(Store&)> task;
        std::chrono::steady_clock::time_point submitted;
    };

    [[nodiscard]] protocol::Result<void> queue(Batch batch);
    void run();
    /// The next batches that share a transaction; waits, and is empty only when it is time to end.
    [[nodiscard]] std::vector<Batch> next_batches();
    void settle();
    void carry_out(std::vector<Batch> batches);
    void complete(Batch& batch, protocol::Result<void> result);

    std::unique_ptr<Store> store_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Batch> queue_;                 // guarded by mutex_
    StorageCounters counters_;                // guarded by mutex_
    std::optional<protocol::Error> failure_;  // guarded by mutex_
    bool ending_ = false;                     // guarded by mutex_
    std::jthread thread_;                     // last: starts when all else is there
};

}  // namespace unlearn::storage
