#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "sim/faults/fault_world.hpp"
#include "sim/faults/hostile_peer.hpp"

namespace unlearn::sim::faults {

/// How often each kind of fault strikes in a storm.
struct StormRates {
    /// Times in one storm for each node, but at least once in the storm.
    double publishes = 1.0;
    double exits = 0.25;
    double crashes = 1.0;
    double dying_writes = 2.0;  ///< a machine dies at one of its next operations on disk
    double long_absences = 0.17;
    double exits_cut_short = 0.3;  ///< a machine dies during an exit, its own or a neighbour's
    double pauses = 0.5;
    double clock_jumps = 0.33;
    double cut_links = 0.5;
    double bad_disks = 0.5;
    double backups = 0.38;  ///< made or restored
    double lost_devices = 0.06;
    double partings = 0.125;
    double expulsions = 0.1;   ///< in networks with a key
    double late_comers = 0.1;  ///< machines that join in the middle
    /// Times in one storm.
    std::size_t loss_changes = 6;
    std::size_t attacks = 60;
    /// Probabilities.
    double power_cut_of_all = 0.4;   ///< in one storm
    double crash_loses_power = 0.5;  ///< otherwise only the process dies
    double dying_write_loses_power = 0.7;
    double dies_again_at_start = 0.15;
    double pause_outlasts_lease = 0.1;
    double network_in_two = 0.3;  ///< of cuts; otherwise the links of one machine
    double cut_is_one_way = 0.5;
    double disk_is_full = 0.5;  ///< of bad disks; otherwise it fails now and then
    double no_loss = 0.5;       ///< of changes of the loss rate
    /// Shares of all messages.
    double most_loss = 0.1;
    double duplicated = 0.0002;
    double flipped = 0.0002;
    double overtakes = 0.0004;
    double delayed = 0.0092;
};
inline constexpr StormRates kRates;

/// A storm of faults over a network, all drawn from one seed. Then comes the calm, in which everything must
/// settle.
class Storm final : public FaultWorld {
  public:
    Storm(std::uint64_t seed, FaultOptions options);

    /// Runs until everything has settled in the calm, or until the first violation.
    [[nodiscard]] FaultResult run();

  private:
    [[nodiscard]] virtual_world::Fate fate_of(const protocol::NodeId& from,
                                              const network::Frames& frames) override;
    void before_start(Machine& machine) override;
    [[nodiscard]] Aftermath aftermath() override;

    void invite_hostile_peers();
    void plan_faults(Duration end);
    void plan(Duration from, Duration to, std::size_t times, std::function<void()> what);
    [[nodiscard]] std::size_t times(double for_each_node) const;
    void crash_for(Machine& machine, Duration down);
    void arm(Machine& machine);
    void break_links();
    void bad_disk();
    void part_neighbours();
    void choose_late_comers();
    void join(Machine& machine);
    void restore_backup();
    void lose_device();
    void expel_somebody();
    void hand_in_revocation(const protocol::NodeId& member);
    void hand_in_sealed_exit(const Machine& lost);
    void calm_down();
    void make_up(Machine& machine);
    void repeat_commands();
    void check_calm();
    [[nodiscard]] Machine* any_running();

    std::vector<std::unique_ptr<HostilePeer>> hostile_;
    std::deque<network::Frames> overheard_;
    bool stormy_ = true;
    double loss_ = 0.0;
};

}  // namespace unlearn::sim::faults
