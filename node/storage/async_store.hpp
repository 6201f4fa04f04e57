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

/// Storage as a node sees it: what is asked for happens elsewhere, in the order of the calls, and is answered
/// later.
class AsyncStore {
  public:
    using Done = std::function<void(protocol::Result<void>)>;

    virtual ~AsyncStore() = default;

    /// Queues one batch. `done` is called once, on whatever thread storage runs on, after the batch is
    /// durable or has failed; it must not throw and not block (post to your own executor).
    /// @return an error, and `done` is never called, when too many batches wait already.
    [[nodiscard]] virtual protocol::Result<void> submit(std::vector<protocol::StoreOp> ops, Done done) = 0;

    /// Runs a short task with the store, in its turn and outside of any transaction. It must not throw.
    /// @return an error, and `task` is never called, when too many batches wait already.
    [[nodiscard]] virtual protocol::Result<void> post(std::function<void(Store&)> task) = 0;

    [[nodiscard]] virtual StorageCounters counters() const = 0;
    /// Why the last batch did not reach the disk; empty when it did.
    [[nodiscard]] virtual std::optional<protocol::Error> failure() const = 0;
};

}  // namespace unlearn::storage
