#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "node/runtime/seed_holder.hpp"
#include "sim/virtual/virtual_host.hpp"

namespace unlearn::sim::virtual_world {

/// Real learning in virtual time. It computes on threads of its own, for as long as it takes. The world waits
/// for it, and its answers come after a fixed virtual time.
class AwaitedSeeds final : public runtime::SeedHolder {
  public:
    /// The virtual time of each judgement of a seed and of each wipe.
    static constexpr protocol::SteadyTime kThinkingTime = std::chrono::milliseconds{5};

    /// `seeds` must outlive this object.
    AwaitedSeeds(runtime::SeedHolder& seeds, std::shared_ptr<VirtualHost> host)
        : seeds_(seeds), host_(std::move(host)) {}

    void check(const protocol::NodeId& owner, protocol::SeedVersion version, const std::string& architecture,
               protocol::SharedSeedBytes payload, std::function<void(runtime::SeedVerdict)> done) override;
    void install(const protocol::NodeId& owner, protocol::SeedVersion version) override {
        seeds_.install(owner, version);
    }
    void suspend(const protocol::NodeId& owner, protocol::SeedVersion version) override {
        seeds_.suspend(owner, version);
    }
    void drop(const protocol::NodeId& owner) override { seeds_.drop(owner); }
    void wipe(const protocol::NodeId& owner, std::function<void()> done) override;

  private:
    runtime::SeedHolder& seeds_;
    std::shared_ptr<VirtualHost> host_;
};

}  // namespace unlearn::sim::virtual_world
