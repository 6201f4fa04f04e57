#pragma once

#include "sim/faults/fault_world.hpp"

namespace unlearn::sim::faults {

struct SpreadResult {
    FaultResult world;
    std::size_t told = 0;          ///< nodes that know of the exit, its owner left out
    std::size_t receipts = 0;      ///< that reached the owner
    double seconds_to_meet = 0.0;  ///< virtual: until everybody had its neighbours' seeds
    double seconds_to_last = 0.0;  ///< virtual: from the exit to the last node that learned of it
};

/// No faults: every node of a network, of any size, gets its neighbours' seeds; then one leaves, and its exit
/// has to reach everybody.
[[nodiscard]] SpreadResult spread(std::uint64_t seed, FaultOptions options);

}  // namespace unlearn::sim::faults
