#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/runtime/node.hpp"
#include "sim/virtual/virtual_disk.hpp"
#include "sim/virtual/virtual_host.hpp"
#include "sim/virtual/virtual_network.hpp"

namespace unlearn::sim::faults {

/// Stands for learning: takes any seed after a while, and keeps account of what is in use.
class SimulatedHolder final : public runtime::SeedHolder {
  public:
    struct Hooks {
        /// A verdict on a complete seed.
        std::function<runtime::SeedVerdict(const protocol::NodeId& owner, protocol::ByteView payload)> judge;
        std::function<void(const protocol::NodeId& owner, protocol::SeedVersion version)> installed;
        std::function<protocol::SteadyTime()> thinking_time;
    };
    SimulatedHolder(std::shared_ptr<virtual_world::VirtualHost> host, Hooks hooks)
        : host_(std::move(host)), hooks_(std::move(hooks)) {}

    void check(const protocol::NodeId& owner, protocol::SeedVersion version, const std::string& architecture,
               protocol::SharedSeedBytes payload, std::function<void(runtime::SeedVerdict)> done) override;
    void install(const protocol::NodeId& owner, protocol::SeedVersion version) override;
    void suspend(const protocol::NodeId& owner, protocol::SeedVersion) override { in_use_.erase(owner); }
    void drop(const protocol::NodeId& owner) override { in_use_.erase(owner); }
    void wipe(const protocol::NodeId& owner, std::function<void()> done) override;

    [[nodiscard]] const std::map<protocol::NodeId, protocol::SeedVersion>& in_use() const { return in_use_; }

  private:
    std::shared_ptr<virtual_world::VirtualHost> host_;
    Hooks hooks_;
    std::map<protocol::NodeId, protocol::SeedVersion> in_use_;
};

/// One machine with its disk, whether it runs or not. The disk and the identity outlive the node on it.
struct Machine {
    Machine(std::size_t number, protocol::Identity keys, std::uint64_t disk_seed)
        : index(number), identity(std::move(keys)), disk(disk_seed) {}

    [[nodiscard]] const protocol::NodeId& id() const { return identity.id(); }
    [[nodiscard]] bool up() const { return node != nullptr; }
    [[nodiscard]] const protocol::Engine& engine() const { return node->engine(); }
    [[nodiscard]] bool uses(const protocol::NodeId& owner) const {
        return up() && holder->in_use().contains(owner);
    }

    std::size_t index;
    protocol::Identity identity;
    std::optional<std::string> endpoint;
    std::vector<protocol::Neighbour> neighbours;
    std::optional<protocol::SignedBytes> membership;

    virtual_world::VirtualDisk disk;
    std::shared_ptr<virtual_world::VirtualHost> host;
    std::unique_ptr<SimulatedHolder> holder;
    std::unique_ptr<runtime::Node> node;  ///< null while the machine is down

    std::chrono::seconds clock_error{0};
    protocol::SteadyTime clock_set_at{};
    protocol::SteadyTime started_at{};
    unsigned starts = 0;
    std::size_t receipts = 0;  ///< of its own exit
    bool joined = true;        ///< false: nobody has heard of it yet
    bool lost = false;         ///< never comes back
    bool retired = false;      ///< its identity is finished
    bool leaving = false;      ///< its exit has begun, or was begun for it
    bool restored = false;     ///< from a backup, at least once
    bool backed_up = false;
};

/// "node-7".
[[nodiscard]] std::string name_of(const Machine& machine);

}  // namespace unlearn::sim::faults
