#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "node/storage/async_store.hpp"
#include "node/storage/store.hpp"

namespace unlearn::storage {

/// The most batches that may wait. Beyond this `add` refuses, and the engine tries again later.
inline constexpr std::size_t kMaxQueuedBatches = 4096;
/// The most batches and payload bytes that may share one transaction.
inline constexpr std::size_t kMaxSharedBatches = 32;
inline constexpr std::size_t kMaxSharedBytes = 4 * 1024 * 1024;
/// Quiet time after which the store's housekeeping should run.
inline constexpr std::chrono::milliseconds kSettleAfter{20};

/// The batches that wait for a store, and how they are carried out. The driver of the queue, a thread or a
/// simulated clock, decides when.
///
/// Batches are carried out in the order of `add`. Batches that wait together share one transaction, so that
/// an exit behind a burst of installs waits for one commit and not for all of them. When a shared transaction
/// fails, its batches are applied one by one and each gets its own result.
class BatchQueue {
  public:
    /// One entry of the queue: either operations or a task.
    struct Batch {
        std::vector<protocol::StoreOp> ops;
        AsyncStore::Done done;
        std::function<void(Store&)> task;
        std::chrono::steady_clock::time_point submitted = std::chrono::steady_clock::now();
    };

    explicit BatchQueue(std::unique_ptr<Store> store) : store_(std::move(store)) {}

    /// Queues a batch. This function and the next three may be called from any thread.
    /// @return an error when too many batches are waiting.
    [[nodiscard]] protocol::Result<void> add(Batch batch);
    [[nodiscard]] bool empty() const;
    [[nodiscard]] StorageCounters counters() const;
    [[nodiscard]] std::optional<protocol::Error> failure() const;

    /// Takes the next batches that share a transaction. This function and the next two may be called by one
    /// thread at a time.
    [[nodiscard]] std::vector<Batch> take();
    void carry_out(std::vector<Batch> batches);
    /// Runs the store's housekeeping.
    void settle();

  private:
    void complete(Batch& batch, protocol::Result<void> result);
    void count_transaction();

    std::unique_ptr<Store> store_;
    mutable std::mutex mutex_;
    std::deque<Batch> queue_;                 // guarded by mutex_
    StorageCounters counters_;                // guarded by mutex_
    std::optional<protocol::Error> failure_;  // guarded by mutex_
};

}  // namespace unlearn::storage
