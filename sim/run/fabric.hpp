#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "node/runtime/node.hpp"
#include "sim/result.hpp"
#include "sim/run/event_log.hpp"
#include "sim/run/prepare.hpp"

namespace unlearn::sim::run {

/// What the nodes of a world run on: clocks, threads, disks and a network.
class Fabric {
  public:
    virtual ~Fabric() = default;

    /// Makes a node without starting it. `number` is its position in the scenario. No other node uses
    /// `folder`. `setup` and `seeds` must outlive the node and this fabric.
    [[nodiscard]] virtual protocol::Result<std::unique_ptr<runtime::Node>> make_node(
        std::size_t number, const NodeSetup& setup, const std::filesystem::path& folder,
        protocol::EngineConfig engine, runtime::SeedHolder& seeds) = 0;
    /// Runs `job` in the thread of the nodes, and waits for it.
    virtual void run(const std::function<void()>& job) = 0;
    /// Lets the nodes run until `met` returns true for all events so far. @return false when the time is
    /// over.
    [[nodiscard]] virtual bool wait(std::chrono::milliseconds at_most,
                                    const std::function<bool(const std::vector<EventLog::Entry>&)>& met) = 0;
};

/// Makes a fabric with real sockets on loopback, and a thread of its own. `events` must outlive it.
[[nodiscard]] protocol::Result<std::unique_ptr<Fabric>> make_zmq_fabric(EventLog& events, int base_port);
/// Makes a fabric with one thread, virtual time, and disks in memory, so that every run of a seed is the
/// same. `events` must outlive it.
[[nodiscard]] std::unique_ptr<Fabric> make_virtual_fabric(EventLog& events, std::uint64_t seed);

}  // namespace unlearn::sim::run
