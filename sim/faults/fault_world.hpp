#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "node/learning/data/random.hpp"
#include "sim/faults/hostile_peer.hpp"
#include "sim/faults/invariants.hpp"
#include "sim/faults/machine.hpp"
#include "sim/faults/payloads.hpp"
#include "sim/faults/rules.hpp"
#include "sim/virtual/virtual_network.hpp"

namespace unlearn::sim {

struct FaultOptions {
    std::uint32_t nodes = 24;
    double hours = 0.1;  ///< of storm, in virtual time
    BrokenRule broken = BrokenRule::none;
    std::ostream* log = nullptr;  ///< gets a line for everything that happens to a node
};

struct FaultResult {
    std::optional<Violation> violation;
    std::uint64_t events = 0;   ///< tasks of the world
    std::uint64_t crashes = 0;  ///< machines that went down without a word
    std::uint64_t exits = 0;
    std::uint64_t attacks = 0;
    std::uint64_t trace = 0;  ///< hash of everything that happened
    double virtual_seconds = 0.0;
};

/// A network of production nodes in one virtual world: first a storm of faults, all drawn from one seed, then
/// calm, in which everybody must come to terms.
class FaultWorld {
  public:
    FaultWorld(std::uint64_t seed, FaultOptions options);
    ~FaultWorld();

    /// Until calm has come, or the first violation.
    [[nodiscard]] FaultResult run();

  private:
    using Duration = protocol::SteadyTime;

    // fault_world.cpp: machines
    void build_network();
    void start(Machine& machine);
    void stop(Machine& machine);
    void crash(Machine& machine, bool power_lost, Duration back_after);
    void come_back(Machine& machine);
    void after_event();
    void on_event(Machine& machine, const protocol::Event& event);
    void arm(Machine& machine);
    void publish(Machine& machine);
    void begin_exit(Machine& machine);
    [[nodiscard]] protocol::EngineConfig config_of(const Machine& machine) const;
    [[nodiscard]] Machine* machine_of(const protocol::NodeId& id);
    [[nodiscard]] bool let_in(const protocol::NodeId& from, Machine& to, network::Frames& frames);
    [[nodiscard]] std::string name_of(const protocol::NodeId& id) const;
    void tell(const Machine& machine, const std::string& what);
    void record(std::uint64_t value);
    void record(const protocol::NodeId& id);
    void run_until(Duration end);

    // storm.cpp: what goes wrong, and the calm after it
    void plan_storm(Duration end);
    void plan(Duration from, Duration to, std::size_t times, std::function<void()> what);
    [[nodiscard]] Fate fate_of(const network::Frames& frames);
    void break_links();
    void bad_disk();
    void restore_backup();
    void lose_device();
    void end_storm();
    void make_up(Machine& machine);
    void check_calm();
    [[nodiscard]] std::optional<Violation> unsettled();
    [[nodiscard]] Machine& any_machine();
    [[nodiscard]] Machine* any_running();
    [[nodiscard]] Duration between(Duration least, Duration most);
    [[nodiscard]] bool chance(double probability) { return random_.uniform() < probability; }

    std::uint64_t seed_;
    FaultOptions options_;
    learning::RandomStream random_;
    VirtualTime time_;
    VirtualNetwork network_;
    Payloads payloads_;
    protocol::NetworkId network_id_;
    std::optional<protocol::Identity> network_key_;
    std::chrono::seconds lease_time_{};
    std::chrono::milliseconds tick_{};
    std::unique_ptr<Invariants> invariants_;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::vector<std::unique_ptr<HostilePeer>> hostile_;
    std::map<protocol::NodeId, std::size_t> index_of_;
    std::set<std::size_t> armed_;    ///< whose disk may be about to die
    std::set<std::size_t> to_stop_;  ///< retired, to be stopped when the running task is over
    std::set<std::pair<protocol::NodeId, protocol::NodeId>> blocked_;  ///< from, to
    std::deque<network::Frames> overheard_;
    bool stormy_ = true;
    std::set<std::pair<std::size_t, std::size_t>> parted_;  ///< a user removed one from the other's peers
    double loss_ = 0.0;
    FaultResult result_;
};

}  // namespace unlearn::sim
