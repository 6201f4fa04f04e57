#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "node/learning/data/random.hpp"
#include "sim/faults/invariants.hpp"
#include "sim/faults/machine.hpp"
#include "sim/faults/payloads.hpp"
#include "sim/faults/rules.hpp"
#include "sim/virtual/virtual_network.hpp"

namespace unlearn::sim::faults {

/// The settings of a fault world.
struct FaultOptions {
    std::uint32_t nodes = 24;
    double hours = 0.1;  ///< the length of the storm, in virtual time
    BrokenRule broken = BrokenRule::none;
    /// Goes on after a violation, to the end of the storm, to see what else is violated.
    bool goes_on = false;
    /// Storage is only memory, so no machine may crash. For the largest networks.
    bool in_memory = false;
    std::ostream* log = nullptr;  ///< gets a line for everything that happens to a node
};

/// What happened in a fault world.
struct FaultResult {
    std::optional<BrokenInvariant> violation;  ///< the first violation
    std::set<std::string> broken;              ///< all rules that were violated
    std::uint64_t events = 0;                  ///< tasks that the world ran
    std::uint64_t crashes = 0;                 ///< machines that went down without a word
    std::uint64_t exits = 0;
    std::uint64_t attacks = 0;
    std::uint64_t trace = 0;                      ///< a hash of everything that happened
    std::map<std::string, std::uint64_t> faults;  ///< how often each kind struck
    double virtual_seconds = 0.0;
    /// Exits of which no remaining node can know; see FaultWorld::exits_nobody_can_know.
    std::size_t exits_unheard = 0;
};

/// A network of production nodes in one virtual world, watched by the invariants. By itself it has no faults;
/// a derived class or a script adds them.
class FaultWorld {
  public:
    using Duration = protocol::SteadyTime;

    FaultWorld(std::uint64_t seed, FaultOptions options);
    virtual ~FaultWorld();
    FaultWorld(const FaultWorld&) = delete;
    FaultWorld& operator=(const FaultWorld&) = delete;

    [[nodiscard]] std::size_t size() const { return machines_.size(); }
    [[nodiscard]] Machine& machine(std::size_t index) { return *machines_[index]; }
    [[nodiscard]] Duration now() const { return time_.now(); }

    /// Starts all machines, spread over the first three seconds.
    void start_all();
    void publish(Machine& machine);
    void begin_exit(Machine& machine);
    /// The machine goes down without a word, now. With `power_lost`, it loses what its disk had not synced.
    void crash(Machine& machine, bool power_lost, Duration back_after);
    /// The machine dies at the disk operation after `operations` more.
    void crash_at(Machine& machine, std::uint64_t operations, virtual_world::VirtualDisk::Crash how);
    /// Runs until `end`, or until the first violation unless `goes_on` is set.
    void run_until(Duration end);
    /// Checks everything that is too expensive to check after every event.
    void check_everybody();
    /// Returns something that is not settled yet: a node that is down, a missing seed or receipt, or an exit
    /// that a node was not told of.
    [[nodiscard]] std::optional<BrokenInvariant> unsettled();
    /// Counts the machines that left for good and of whose exit no remaining node can know: every node that
    /// had it on disk is gone for good, too, or was restored from an earlier backup.
    [[nodiscard]] std::size_t exits_nobody_can_know() const;
    [[nodiscard]] FaultResult result() const;
    void fail(std::string rule, std::string detail) { invariants_->fail(std::move(rule), std::move(detail)); }

  protected:
    /// Decides what happens to a message of `from`, which may not be one of the machines.
    [[nodiscard]] virtual virtual_world::Fate fate_of(const protocol::NodeId& /*from*/,
                                                      const network::Frames& /*frames*/) {
        return {};
    }
    virtual void before_start(Machine& /*machine*/) {}
    struct Aftermath {
        bool power_lost = true;
        Duration back_after = std::chrono::seconds{1};
    };
    /// What follows a crash that came from the machine's disk.
    [[nodiscard]] virtual Aftermath aftermath() { return {}; }

    void start(Machine& machine);
    void come_back(Machine& machine);
    [[nodiscard]] const Machine* machine_of(const protocol::NodeId& id) const;
    [[nodiscard]] Machine* machine_of(const protocol::NodeId& id);
    [[nodiscard]] Machine& any_machine() { return *machines_[random_.below(machines_.size())]; }
    [[nodiscard]] std::string name_of(const protocol::NodeId& id) const;
    /// Writes a line to the log.
    void tell(const Machine& machine, const std::string& what);
    /// Returns a key of this world, the same for the same seed.
    [[nodiscard]] protocol::Identity identity_of(std::string_view purpose, std::size_t number) const;
    [[nodiscard]] std::optional<protocol::SignedBytes> membership_of(
        const protocol::Identity& identity) const;
    [[nodiscard]] Duration between(Duration least, Duration most);
    [[nodiscard]] bool chance(double probability) { return random_.uniform() < probability; }

    std::uint64_t seed_;
    FaultOptions options_;
    learning::RandomStream random_;
    virtual_world::VirtualTime time_;
    virtual_world::VirtualNetwork network_;
    Payloads payloads_;
    protocol::NetworkId network_id_;
    std::optional<protocol::Identity> network_key_;
    std::chrono::seconds lease_time_{};
    std::chrono::milliseconds tick_{};
    std::unique_ptr<Invariants> invariants_;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::set<std::pair<protocol::NodeId, protocol::NodeId>> blocked_;  ///< from, to
    std::set<protocol::NodeId> expelled_;                              ///< by the network's key
    std::uint64_t attacks_ = 0;

    /// Counts faults of this kind that have struck.
    void struck(const std::string& kind, std::uint64_t times = 1) { faults_[kind] += times; }

  private:
    void build_network();
    [[nodiscard]] virtual_world::VirtualMachine::Boot boot_of(Machine& machine);
    void not_started(Machine& machine, const protocol::Error& error);
    void after_event();
    [[nodiscard]] std::optional<BrokenInvariant> missing_receipt(const Machine& owner) const;
    [[nodiscard]] std::optional<BrokenInvariant> missing_seed(const Machine& machine) const;
    [[nodiscard]] std::optional<BrokenInvariant> missing_exit() const;
    [[nodiscard]] std::optional<BrokenInvariant> missing_expulsion() const;
    [[nodiscard]] static bool knows(const Machine& machine, const protocol::NodeId& owner);
    [[nodiscard]] bool puts_off(const Machine& machine, const protocol::NodeId& owner) const;
    /// Returns the machines that are up, grouped by which can reach each other.
    [[nodiscard]] std::vector<std::vector<const Machine*>> connected_parts() const;
    void on_event(Machine& machine, const protocol::Event& event);
    [[nodiscard]] protocol::EngineConfig config_of(const Machine& machine) const;
    [[nodiscard]] bool let_in(Machine& to, network::Frames& frames);
    void record(std::uint64_t value);
    void record(const protocol::NodeId& id);

    std::map<protocol::NodeId, std::size_t> index_of_;
    std::set<std::size_t> armed_;       ///< machines whose disk may be about to die
    const Machine* touched_ = nullptr;  ///< the machine that the running task touched
    std::size_t turn_ = 0;              ///< whose turn it is to be checked if no machine was touched
    std::set<std::size_t> to_stop_;     ///< retired machines to stop when the running task is over
    std::uint64_t crashes_ = 0;
    std::uint64_t exits_ = 0;
    std::uint64_t trace_ = 0;
    std::map<std::string, std::uint64_t> faults_;
};

}  // namespace unlearn::sim::faults
