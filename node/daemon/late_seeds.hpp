#pragma once

#include <map>
#include <memory>
#include <vector>

#include "node/runtime/seed_holder.hpp"

namespace unlearn::daemon {

/// Lets a node talk to its peers before it has a main model. Seeds that arrive wait here until there is an
/// ensemble to take them, and exits erase them as usual. Used on the node's thread only.
class LateSeeds final : public runtime::SeedHolder {
  public:
    /// Lets `seeds` do the work from now on, beginning with the seeds that wait.
    void ready(runtime::SeedHolder& seeds);
    /// The number of seeds whose check waits for the first model.
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

    void check(const protocol::NodeId& owner, protocol::SeedVersion version, const std::string& architecture,
               protocol::SharedSeedBytes payload, std::function<void(runtime::SeedVerdict)> done) override;
    void install(const protocol::NodeId& owner, protocol::SeedVersion version) override;
    void suspend(const protocol::NodeId& owner, protocol::SeedVersion version) override;
    void drop(const protocol::NodeId& owner) override;
    void wipe(const protocol::NodeId& owner, std::function<void()> done) override;

  private:
    struct Check {
        protocol::NodeId owner;
        protocol::SeedVersion version{};
        std::string architecture;
        protocol::SharedSeedBytes payload;
        std::function<void(runtime::SeedVerdict)> done;
    };
    std::vector<Check> waiting_;
    runtime::SeedHolder* seeds_ = nullptr;
};

}  // namespace unlearn::daemon
