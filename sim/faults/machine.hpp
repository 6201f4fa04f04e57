#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/virtual/simulated_holder.hpp"
#include "sim/virtual/virtual_machine.hpp"

namespace unlearn::sim::faults {

/// A machine in a storm: what the storm has done to it, and what its owner wants.
struct Machine : virtual_world::VirtualMachine {
    Machine(std::size_t number, virtual_world::VirtualTime& time, virtual_world::VirtualNetwork& network,
            protocol::Identity keys, std::uint64_t disk_seed)
        : VirtualMachine(time, network, std::make_shared<const protocol::Identity>(std::move(keys)),
                         disk_seed),
          index(number) {}

    [[nodiscard]] bool uses(const protocol::NodeId& owner) const {
        return up() && holder->in_use().contains(owner);
    }
    /// Returns a name such as "node-7".
    [[nodiscard]] std::string name() const { return "node-" + std::to_string(index); }

    std::size_t index;
    std::optional<std::string> endpoint;
    std::vector<protocol::Neighbour> neighbours;
    std::optional<protocol::SignedBytes> membership;
    /// The holder of the last start; use it only while the machine is up.
    virtual_world::SimulatedHolder* holder = nullptr;

    std::chrono::seconds clock_error{0};
    protocol::SteadyTime clock_set_at{};
    protocol::SteadyTime started_at{};
    unsigned starts = 0;
    std::size_t receipts = 0;  ///< receipts for its own exit
    bool joined = true;        ///< false: no machine has heard of it yet
    bool lost = false;         ///< never comes back
    bool retired = false;      ///< its identity is finished
    bool leaving = false;      ///< its exit has begun, or was begun for it
    bool restored = false;     ///< restored from a backup at least once
    bool backed_up = false;
};

}  // namespace unlearn::sim::faults
