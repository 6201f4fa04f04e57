#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "node/runtime/node.hpp"
#include "sim/run/event_log.hpp"
#include "sim/run/prepare.hpp"

namespace unlearn::sim::run {

/// What the nodes of a world run on: clocks, threads, disks and a network.
class Fabric {
  public:
    virtual ~Fabric() = default;

    /// A node that has not started; `number` is its place in the scenario. `folder` is its own.
    /// `setup` and `seeds` must outlive the node and this.
    [[nodiscard]] virtual protocol::Result<std::unique_ptr<runtime::Node>> make_node(
        std::size_t number, const NodeSetup& setup, const std::filesystem::path& folder,
        protocol::EngineConfig engine, runtime::SeedHolder& seeds) = 0;
    /// Runs `job` where the nodes live, and waits for it.
    virtual void run(const std::function<void()>& job) = 0;
    /// Lets the nodes live until `met` says so about all events. @return false when the time is over.
    [[nodiscard]] virtual bool wait(std::chrono::milliseconds at_most,
                                    const std::function<bool(const std::vector<EventLog::Entry>&)>& met) = 0;
};

/// Real sockets on loopback, in threads of their own. `events` must outlive it.
[[nodiscard]] protocol::Result<std::unique_ptr<Fabric>> make_zmq_fabric(EventLog& events, int base_port);
/// One thread and virtual time: every run of a seed is the same. Disks are in memory. `events` must outlive
/// it.
[[nodiscard]] std::unique_ptr<Fabric> make_virtual_fabric(EventLog& events, std::uint64_t seed);

}  // namespace unlearn::sim::run
