#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "node/runtime/seed_holder.hpp"
#include "sim/virtual/virtual_host.hpp"

namespace unlearn::sim::virtual_world {

/// Stands in for learning: judges each seed by a hook after a while, and records which seeds are in use.
class SimulatedHolder final : public runtime::SeedHolder {
  public:
    struct Hooks {
        /// Returns the verdict on a complete seed.
        std::function<runtime::SeedVerdict(const protocol::NodeId& owner, protocol::ByteView payload)> judge;
        std::function<void(const protocol::NodeId& owner, protocol::SeedVersion version)> installed;
        std::function<protocol::SteadyTime()> thinking_time;
    };
    SimulatedHolder(std::shared_ptr<VirtualHost> host, Hooks hooks)
        : host_(std::move(host)), hooks_(std::move(hooks)) {}

    void check(const protocol::NodeId& owner, protocol::SeedVersion version, const std::string& architecture,
               protocol::SharedSeedBytes payload, std::function<void(runtime::SeedVerdict)> done) override;
    void install(const protocol::NodeId& owner, protocol::SeedVersion version) override;
    void suspend(const protocol::NodeId& owner, protocol::SeedVersion) override { in_use_.erase(owner); }
    void drop(const protocol::NodeId& owner) override { in_use_.erase(owner); }
    void wipe(const protocol::NodeId& owner, std::function<void()> done) override;

    [[nodiscard]] const std::map<protocol::NodeId, protocol::SeedVersion>& in_use() const { return in_use_; }

  private:
    std::shared_ptr<VirtualHost> host_;
    Hooks hooks_;
    std::map<protocol::NodeId, protocol::SeedVersion> in_use_;
};

}  // namespace unlearn::sim::virtual_world
