#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "sim/faults/fault_world.hpp"
#include "sim/faults/hostile_peer.hpp"

namespace unlearn::sim {

/// A storm of faults over a network, all drawn from one seed, then calm, in which everybody must come to
/// terms.
class Storm final : public FaultWorld {
  public:
    Storm(std::uint64_t seed, FaultOptions options);

    /// Until calm has come, or the first violation.
    [[nodiscard]] FaultResult run();

  private:
    [[nodiscard]] Fate fate_of(const protocol::NodeId& from, const network::Frames& frames) override;
    void before_start(Machine& machine) override;
    [[nodiscard]] Aftermath aftermath() override;

    void invite_hostile_peers();
    void plan_faults(Duration end);
    void plan(Duration from, Duration to, std::size_t times, std::function<void()> what);
    void arm(Machine& machine);
    void break_links();
    void bad_disk();
    void part_neighbours();
    void restore_backup();
    void lose_device();
    void calm_down();
    void make_up(Machine& machine);
    void check_calm();
    [[nodiscard]] Machine* any_running();

    std::vector<std::unique_ptr<HostilePeer>> hostile_;
    std::deque<network::Frames> overheard_;
    bool stormy_ = true;
    double loss_ = 0.0;
};

}  // namespace unlearn::sim
