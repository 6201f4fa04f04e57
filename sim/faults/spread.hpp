#pragma once

#include "sim/faults/fault_world.hpp"

namespace unlearn::sim::faults {

/// How one exit spread through a network.
struct SpreadResult {
    FaultResult world;
    std::size_t told = 0;          ///< nodes that know of the exit, without its owner
    std::size_t receipts = 0;      ///< receipts that reached the owner
    double seconds_to_meet = 0.0;  ///< virtual seconds until all nodes had their neighbours' seeds
    double seconds_to_last = 0.0;  ///< virtual seconds from the exit to the last node that learned of it
};

/// Runs a network of any size without faults. Every node gets its neighbours' seeds; then one node leaves,
/// and its exit must reach all others.
[[nodiscard]] SpreadResult spread(std::uint64_t seed, FaultOptions options);

}  // namespace unlearn::sim::faults
