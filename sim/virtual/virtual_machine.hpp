#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "node/runtime/node.hpp"
#include "node/runtime/seed_holder.hpp"
#include "protocol/identity.hpp"
#include "sim/virtual/virtual_disk.hpp"
#include "sim/virtual/virtual_host.hpp"
#include "sim/virtual/virtual_network.hpp"

namespace unlearn::sim::virtual_world {

/// Returns the endpoint of the machine with this number. In the virtual network it is only a name.
[[nodiscard]] std::string endpoint_of(std::size_t number);

/// Adds what was sent, but not what was received.
void add_sent(network::TrafficCounters& sum, const network::TrafficCounters& more);

/// One machine of a virtual world. Its identity and its disk are permanent; its host, its seeds and its node
/// exist only while it is up.
class VirtualMachine {
  public:
    /// What one start needs.
    struct Boot {
        VirtualHost::Options host;
        runtime::NodeOptions node;            ///< `directory` is a folder of the machine's disk
        std::optional<std::string> endpoint;  ///< none: it can only dial out
        /// Makes the holder of seeds, which lives as long as the machine is up.
        std::function<std::unique_ptr<runtime::SeedHolder>(const std::shared_ptr<VirtualHost>&)> make_seeds;
        runtime::EventSink events;
    };

    /// `time` and `network` must outlive the machine. The machine must outlive the tasks queued in `time`,
    /// because what is on its way to the disk refers to it.
    VirtualMachine(VirtualTime& time, VirtualNetwork& network,
                   std::shared_ptr<const protocol::Identity> identity, std::uint64_t disk_seed)
        : time_(time), network_(network), identity_(std::move(identity)), disk_(disk_seed) {}

    [[nodiscard]] const protocol::NodeId& id() const { return identity_->id(); }
    [[nodiscard]] const protocol::Identity& identity() const { return *identity_; }
    [[nodiscard]] VirtualDisk& disk() { return disk_; }
    [[nodiscard]] const VirtualDisk& disk() const { return disk_; }
    /// Null while the machine is down.
    [[nodiscard]] VirtualHost* host() const { return host_.get(); }
    [[nodiscard]] bool up() const { return node_ != nullptr; }
    /// The machine must be up.
    [[nodiscard]] runtime::Node& node() const { return *node_; }
    [[nodiscard]] const protocol::Engine& engine() const { return node_->engine(); }
    /// What the machine's nodes have sent since the beginning, over all starts.
    [[nodiscard]] network::TrafficCounters sent() const;

    /// Makes host, seeds and node, but does not start the node. The error says why the node could not be
    /// made; the machine is then down.
    [[nodiscard]] protocol::Result<void> boot(Boot boot);
    /// Does the same for a caller who keeps the node and destroys it before the machine.
    [[nodiscard]] protocol::Result<std::unique_ptr<runtime::Node>> boot_node(Boot boot);
    /// Stops the machine; peers notice that the connections end. Must not be called from within the node.
    void stop();
    /// The machine goes down without a word. With `power_lost`, what the disk had not synced is lost. Must
    /// not be called from within the node.
    void crash(bool power_lost);

  private:
    VirtualTime& time_;
    VirtualNetwork& network_;
    std::shared_ptr<const protocol::Identity> identity_;
    VirtualDisk disk_;
    std::shared_ptr<VirtualHost> host_;
    std::unique_ptr<runtime::SeedHolder> seeds_;
    std::unique_ptr<runtime::Node> node_;
    network::TrafficCounters sent_before_;  ///< by the nodes of earlier starts
};

}  // namespace unlearn::sim::virtual_world
