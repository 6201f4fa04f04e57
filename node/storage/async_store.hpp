#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "node/storage/store.hpp"
#include "protocol/durable.hpp"

namespace unlearn::storage {

/// How many batches there were, and how long they took from `submit` to durable.
struct StorageCounters {
    std::uint64_t batches = 0;       ///< completed, with or without success
    std::uint64_t failures = 0;      ///< of those, batches that were not stored
    std::uint64_t transactions = 0;  ///< fewer than batches when some shared a commit
    std::uint64_t housekeeping_failures = 0;
    std::uint64_t waiting = 0;                   ///< batches in the queue now
    std::chrono::microseconds total_latency{0};  ///< sum over batches
    std::chrono::microseconds longest_latency{0};
    /// Batches by latency: entry i counts those below 2^i microseconds and not below 2^(i-1).
    std::array<std::uint64_t, 32> by_power_of_two{};

    /// Returns an upper bound of the latency that the share `quantile` (0 to 1) of all batches stayed below.
    [[nodiscard]] std::chrono::microseconds latency_at(double quantile) const;
};

/// Storage as a node sees it: calls are queued, carried out elsewhere in their order, and answered later.
class AsyncStore {
  public:
    using Done = std::function<void(protocol::Result<void>)>;

    virtual ~AsyncStore() = default;

    /// Queues one batch. `done` is called once, on the thread of the storage, after the batch is durable or
    /// has failed. It must not throw and must not block (post to your own executor).
    /// @return an error when too many batches are waiting; `done` is then never called.
    [[nodiscard]] virtual protocol::Result<void> submit(std::vector<protocol::StoreOp> ops, Done done) = 0;

    /// Runs a short task with the store, in its turn and outside of any transaction. It must not throw.
    /// @return an error when too many batches are waiting; `task` is then never called.
    [[nodiscard]] virtual protocol::Result<void> post(std::function<void(Store&)> task) = 0;

    [[nodiscard]] virtual StorageCounters counters() const = 0;
    /// Returns why the last batch did not reach the disk; nothing when it did.
    [[nodiscard]] virtual std::optional<protocol::Error> failure() const = 0;
};

}  // namespace unlearn::storage
