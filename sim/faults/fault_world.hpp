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

struct FaultOptions {
    std::uint32_t nodes = 24;
    double hours = 0.1;  ///< of storm, in virtual time
    BrokenRule broken = BrokenRule::none;
    /// After a violation, to the end of the storm, to see what else is violated.
    bool goes_on = false;
    /// Storage that is only memory: nobody may crash. For the largest networks.
    bool in_memory = false;
    std::ostream* log = nullptr;  ///< gets a line for everything that happens to a node
};

struct FaultResult {
    std::optional<BrokenInvariant> violation;  ///< the first
    std::set<std::string> broken;              ///< the rules of all
    std::uint64_t events = 0;                  ///< tasks of the world
    std::uint64_t crashes = 0;                 ///< machines that went down without a word
    std::uint64_t exits = 0;
    std::uint64_t attacks = 0;
    std::uint64_t trace = 0;                      ///< hash of everything that happened
    std::map<std::string, std::uint64_t> faults;  ///< how often each kind struck
    double virtual_seconds = 0.0;
    /// Of which nobody who is left can know: see FaultWorld::exits_nobody_can_know.
    std::size_t exits_unheard = 0;
};

/// A network of production nodes in one virtual world, watched by the invariants. By itself everything goes
/// well in it; who derives from it, or writes a script for it, decides what does not.
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

    /// All machines, spread over the first three seconds.
    void start_all();
    void publish(Machine& machine);
    void begin_exit(Machine& machine);
    /// The machine goes down without a word, now; `power_lost`: with what its disk had not synced.
    void crash(Machine& machine, bool power_lost, Duration back_after);
    /// The machine dies at the disk operation after `operations` more.
    void crash_at(Machine& machine, std::uint64_t operations, virtual_world::VirtualDisk::Crash how);
    /// Until then, or the first violation unless it goes on.
    void run_until(Duration end);
    /// Everything that is too dear to be checked after every event.
    void check_everybody();
    /// What is still open: a node that is down, a missing seed or receipt, an exit that somebody was not told
    /// of.
    [[nodiscard]] std::optional<BrokenInvariant> unsettled();
    /// Machines that left for ever and of whose exit nobody can know: whoever had it on disk is gone for good
    /// too, or was put back to a time before.
    [[nodiscard]] std::size_t exits_nobody_can_know() const;
    [[nodiscard]] FaultResult result() const;
    void fail(std::string rule, std::string detail) { invariants_->fail(std::move(rule), std::move(detail)); }

  protected:
    /// What happens to a message of `from`, which may be nobody's machine.
    [[nodiscard]] virtual virtual_world::Fate fate_of(const protocol::NodeId& /*from*/,
                                                      const network::Frames& /*frames*/) {
        return {};
    }
    virtual void before_start(Machine& /*machine*/) {}
    struct Aftermath {
        bool power_lost = true;
        Duration back_after = std::chrono::seconds{1};
    };
    /// Of a crash that came from the machine's disk.
    [[nodiscard]] virtual Aftermath aftermath() { return {}; }

    void start(Machine& machine);
    void come_back(Machine& machine);
    [[nodiscard]] const Machine* machine_of(const protocol::NodeId& id) const;
    [[nodiscard]] Machine* machine_of(const protocol::NodeId& id);
    [[nodiscard]] Machine& any_machine() { return *machines_[random_.below(machines_.size())]; }
    [[nodiscard]] std::string name_of(const protocol::NodeId& id) const;
    /// For the log.
    void tell(const Machine& machine, const std::string& what);
    /// Keys of this world; the same for the same seed.
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
    std::uint64_t attacks_ = 0;

    /// Faults of this kind have happened to somebody.
    void struck(const std::string& kind, std::uint64_t times = 1) { faults_[kind] += times; }

  private:
    void build_network();
    [[nodiscard]] virtual_world::VirtualMachine::Boot boot_of(Machine& machine);
    void not_started(Machine& machine, const protocol::Error& error);
    void after_event();
    [[nodiscard]] std::optional<BrokenInvariant> missing_receipt(const Machine& owner) const;
    [[nodiscard]] std::optional<BrokenInvariant> missing_seed(const Machine& machine) const;
    [[nodiscard]] std::optional<BrokenInvariant> missing_exit() const;
    [[nodiscard]] static bool knows(const Machine& machine, const protocol::NodeId& owner);
    [[nodiscard]] bool puts_off(const Machine& machine, const protocol::NodeId& owner) const;
    /// Machines that are up, parted into those that can reach each other.
    [[nodiscard]] std::vector<std::vector<const Machine*>> connected_parts() const;
    void on_event(Machine& machine, const protocol::Event& event);
    [[nodiscard]] protocol::EngineConfig config_of(const Machine& machine) const;
    [[nodiscard]] bool let_in(Machine& to, network::Frames& frames);
    void record(std::uint64_t value);
    void record(const protocol::NodeId& id);

    std::map<protocol::NodeId, std::size_t> index_of_;
    std::set<std::size_t> armed_;       ///< whose disk may be about to die
    const Machine* touched_ = nullptr;  ///< by the running task
    std::size_t turn_ = 0;              ///< whose turn it is to be looked at when no one was
    std::set<std::size_t> to_stop_;     ///< retired, to be stopped when the running task is over
    std::uint64_t crashes_ = 0;
    std::uint64_t exits_ = 0;
    std::uint64_t trace_ = 0;
    std::map<std::string, std::uint64_t> faults_;
};

}  // namespace unlearn::sim::faults
