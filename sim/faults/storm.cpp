#include "sim/faults/storm.hpp"

#include <algorithm>

#include "protocol/network_statements.hpp"

/// What goes wrong in a world, and how it must look once nothing goes wrong any more.
namespace unlearn::sim::faults {

using namespace protocol;
using namespace std::chrono_literals;

namespace {

/// The checks must go on long enough: a peer that was dropped repeatedly is accepted again after at most ten
/// minutes, and of strangers' exits only a hundred a day are taken; the rest waits.
constexpr int kMostChecks = 120;
constexpr auto kLeastPause = 15s;
constexpr std::size_t kMostOverheard = 256;

}  // namespace

Storm::Storm(std::uint64_t seed, FaultOptions options) : FaultWorld(seed, options) {
    choose_late_comers();
    invite_hostile_peers();
}

void Storm::invite_hostile_peers() {
    for (std::uint64_t number = 0; number < 2; ++number) {
        std::vector<const Identity*> honest;
        for (const auto& machine : machines_)
            honest.push_back(&machine->identity());
        Identity identity = identity_of("hostile", number);
        auto membership = membership_of(identity);
        hostile_.push_back(std::make_unique<HostilePeer>(
            HostilePeer::World{time_, network_, payloads_, network_id_, std::move(honest),
                               [this]() -> std::optional<Message> {
                                   if (overheard_.empty()) return std::nullopt;
                                   auto envelope = decode(overheard_[random_.below(overheard_.size())]);
                                   if (!envelope) return std::nullopt;
                                   return std::move(envelope->message);
                               },
                               [this](const NodeId& id) { invariants_->exit_signed(id); }},
            std::move(identity), std::move(membership), random_.next()));
        // Makes the peer a neighbour of up to three machines that can be dialled.
        std::vector<PeerAddress> victims;
        while (victims.size() < std::min<std::size_t>(3, options_.nodes / 2)) {
            Machine& victim = any_machine();
            if (!victim.endpoint) continue;
            victims.push_back({victim.id(), *victim.endpoint});
            victim.neighbours.push_back({hostile_.back()->id(), std::nullopt});
        }
        time_.after(5s, [peer = hostile_.back().get(), victims] { peer->start(victims); });
    }
}

/// Some machines are absent at first and on no machine's list.
void Storm::choose_late_comers() {
    for (std::size_t i = 0; i < times(kRates.late_comers); ++i)
        any_machine().joined = false;
    for (auto& machine : machines_)
        std::erase_if(machine->neighbours, [&](const Neighbour& neighbour) {
            const Machine* other = machine_of(neighbour.id);
            return other != nullptr && !other->joined;
        });
}

/// The machine's user lists its neighbours, and their users add it.
void Storm::join(Machine& machine) {
    if (std::exchange(machine.joined, true)) return;
    struck("joins");
    tell(machine, "joins");
    for (const auto& neighbour : machine.neighbours) {
        Machine* other = machine_of(neighbour.id);
        if (other == nullptr) continue;
        other->neighbours.push_back({machine.id(), machine.endpoint});
        if (other->up()) other->node().add_neighbour(other->neighbours.back(), true);
    }
    come_back(machine);
}

FaultResult Storm::run() {
    start_all();
    const Duration storm = std::chrono::seconds(static_cast<std::int64_t>(options_.hours * 3600));
    plan_faults(storm);
    run_until(storm);
    if (!invariants_->violation()) {
        calm_down();
        check_calm();
    }
    for (const auto& peer : hostile_)
        for (const auto& [kind, times] : peer->attacks()) {
            attacks_ += times;
            struck("attack: " + kind, times);
        }
    if (!network_key_)
        for (const auto& machine : machines_)
            if (machine->up() && machine->engine().counters().exits_put_off > 0)
                struck("exits of strangers put off");
    auto result = this->result();
    result.exits_unheard = exits_nobody_can_know();
    return result;
}

// ---------------------------------------------------------------- faults

Machine* Storm::any_running() {
    for (int i = 0; i < 8; ++i)
        if (Machine& machine = any_machine(); machine.up()) return &machine;
    return nullptr;
}

void Storm::plan(Duration from, Duration to, std::size_t times, std::function<void()> what) {
    for (std::size_t i = 0; i < times; ++i)
        time_.at(between(from, to), [this, what] {
            if (stormy_) what();
        });
}

std::size_t Storm::times(double for_each_node) const {
    const auto times = for_each_node * static_cast<double>(machines_.size());
    return std::max<std::size_t>(1, static_cast<std::size_t>(times));
}

void Storm::plan_faults(Duration end) {
    const Duration begin = 8s;
    const Duration lease = lease_time_;
    // How long things last in a storm of this length.
    const Duration brief = std::min<Duration>(end / 30, 30s);

    plan(begin, end, times(kRates.publishes), [this] {
        if (Machine* machine = any_running()) publish(*machine);
    });
    plan(begin, end, times(kRates.exits), [this] {
        if (Machine* machine = any_running()) begin_exit(*machine);
    });
    // Crashes: at any moment, at any write, and for longer than a lease.
    plan(begin, end, times(kRates.crashes), [this, brief] {
        if (Machine* machine = any_running()) crash_for(*machine, between(0s, brief));
    });
    plan(begin, end, times(kRates.dying_writes), [this] {
        if (Machine* machine = any_running()) arm(*machine);
    });
    plan(begin, end, times(kRates.long_absences), [this, lease] {
        if (Machine* machine = any_running()) {
            struck("away for longer than a lease");
            crash_for(*machine, between(lease, lease + lease / 2));
        }
    });
    if (chance(kRates.power_cut_of_all))
        plan(begin, end, 1, [this, brief] {
            struck("power cut of all");
            for (auto& machine : machines_)
                crash(*machine, true, between(0s, brief));
        });
    // A machine dies in the middle of an exit that it hears of, or of its own exit.
    plan(begin, end, times(kRates.exits_cut_short), [this] {
        Machine* machine = any_running();
        if (machine == nullptr) return;
        arm(*machine);
        if (chance(0.3)) return begin_exit(*machine);
        for (const auto& neighbour : machine->neighbours)
            if (Machine* other = machine_of(neighbour.id); other != nullptr && other->up() && chance(0.3))
                return begin_exit(*other);
    });
    plan(begin, end, times(kRates.pauses), [this, brief, lease] {
        Machine* machine = any_running();
        if (machine == nullptr) return;
        const bool suspended = chance(kRates.pause_outlasts_lease);
        struck(suspended ? "suspended for longer than a lease" : "paused");
        machine->host()->pause_until(time_.now() + (suspended ? lease + lease / 10 : between(100ms, brief)));
    });
    plan(begin, end, times(kRates.clock_jumps), [this] {
        Machine& machine = any_machine();
        if (machine.restored) return;
        machine.clock_error = std::chrono::seconds(static_cast<std::int64_t>(random_.below(7200)) - 3600);
        machine.clock_set_at = time_.now();
        struck("clock jumps");
        if (machine.host()) machine.host()->set_clock_error(machine.clock_error);
    });
    plan(begin, end, times(kRates.cut_links), [this] { break_links(); });
    plan(begin, end, times(kRates.bad_disks), [this] { bad_disk(); });
    plan(begin, end, times(kRates.backups), [this] { restore_backup(); });
    plan(begin, end, times(kRates.lost_devices), [this] { lose_device(); });
    plan(begin, end, kRates.loss_changes,
         [this] { loss_ = chance(kRates.no_loss) ? 0.0 : kRates.most_loss * random_.uniform(); });
    plan(begin, end, times(kRates.partings), [this] { part_neighbours(); });
    if (network_key_) plan(begin, end, times(kRates.expulsions), [this] { expel_somebody(); });
    for (auto& machine : machines_)
        if (!machine->joined) plan(begin, end, 1, [this, machine = machine.get()] { join(*machine); });
    plan(begin, end, kRates.attacks, [this] { hostile_[random_.below(hostile_.size())]->attack(); });

    const Duration every = std::max<Duration>(end / 360, 1s);
    for (Duration at = begin; at < end; at += every)
        time_.at(at, [this] {
            const Machine& machine = any_machine();
            invariants_->check_memory(machine);
            invariants_->check_disk(machine);
        });
}

void Storm::crash_for(Machine& machine, Duration down) {
    crash(machine, chance(kRates.crash_loses_power), down);
}

/// Makes the machine die during one of its next writes.
void Storm::arm(Machine& machine) {
    // Each statement draws only once, here and elsewhere: compilers differ in which of two arguments they
    // evaluate first, and a seed must give the same storm with every compiler.
    const auto how = static_cast<virtual_world::VirtualDisk::Crash>(random_.below(3));
    crash_at(machine, random_.below(40), how);
}

void Storm::before_start(Machine& machine) {
    // Now and then the power fails again during the start.
    if (stormy_ && chance(kRates.dies_again_at_start)) arm(machine);
}

FaultWorld::Aftermath Storm::aftermath() {
    return {chance(kRates.dying_write_loses_power), between(0s, 20s)};
}

virtual_world::Fate Storm::fate_of(const NodeId& from, const network::Frames& frames) {
    if (machine_of(from) != nullptr && random_.below(16) == 0) {
        overheard_.push_back(frames);
        if (overheard_.size() > kMostOverheard) overheard_.pop_front();
    }
    virtual_world::Fate fate;
    if (!stormy_) return fate;
    const double luck = random_.uniform();
    if (luck < loss_) {
        struck("message lost");
        fate.copies = 0;
        return fate;
    }
    const double rare = random_.uniform();
    if (rare < kRates.duplicated) {
        struck("message doubled");
        fate.copies = 2;
    } else if (rare < kRates.duplicated + kRates.flipped) {
        struck("bit flipped");
        fate.flipped = random_.next();
    } else if (rare < kRates.duplicated + kRates.flipped + kRates.overtakes) {
        struck("message overtakes");
        fate.overtakes = true;
    } else if (rare < kRates.duplicated + kRates.flipped + kRates.overtakes + kRates.delayed) {
        struck("message delayed");
        fate.delay = between(50ms, 3s);
    }
    return fate;
}

void Storm::break_links() {
    std::vector<std::pair<NodeId, NodeId>> cut;
    if (chance(kRates.network_in_two)) {
        // Splits the network into two parts.
        struck("network in two parts");
        std::vector<bool> side;
        for (std::size_t i = 0; i < machines_.size(); ++i)
            side.push_back(random_.below(2) == 0);
        for (const auto& machine : machines_)
            for (const auto& neighbour : machine->neighbours)
                if (const Machine* other = machine_of(neighbour.id);
                    other != nullptr && side[machine->index] != side[other->index])
                    cut.emplace_back(machine->id(), other->id());
    } else {
        const Machine& machine = any_machine();
        const bool one_way = chance(kRates.cut_is_one_way);
        struck(one_way ? "links cut one way" : "links cut both ways");
        for (const auto& neighbour : machine.neighbours) {
            if (chance(0.4)) continue;
            cut.emplace_back(machine.id(), neighbour.id);
            if (!one_way) cut.emplace_back(neighbour.id, machine.id());
        }
    }
    blocked_.insert(cut.begin(), cut.end());
    time_.after(between(500ms, 30s), [this, cut] {
        for (const auto& pair : cut)
            blocked_.erase(pair);
    });
}

void Storm::bad_disk() {
    Machine& machine = any_machine();
    const bool full = chance(kRates.disk_is_full);
    struck(full ? "disk full" : "disk errors");
    if (full)
        machine.disk().capacity = machine.disk().used() + random_.below(64 * 1024);
    else
        machine.disk().error_rate = 0.02 + 0.3 * random_.uniform();
    time_.after(between(1s, 20s), [&machine] {
        machine.disk().capacity = std::numeric_limits<std::uint64_t>::max();
        machine.disk().error_rate = 0.0;
    });
}

/// A user removes a peer and adds it again.
void Storm::part_neighbours() {
    Machine* machine = any_running();
    if (machine == nullptr || machine->neighbours.empty()) return;
    const auto peer = machine->neighbours[random_.below(machine->neighbours.size())];
    if (machine_of(peer.id) == nullptr) return;
    struck("peer removed and added");
    machine->node().remove_neighbour(peer.id);
    time_.after(between(1s, 20s), [machine, peer] {
        if (machine->up()) machine->node().add_neighbour(peer, true);
    });
}

/// Makes a backup, or restores one, even of a node that has left since.
void Storm::restore_backup() {
    static const std::string kBackup = std::filesystem::absolute("backup.db").string();
    Machine& machine = any_machine();
    if (machine.up() && !machine.backed_up) {
        machine.disk().remove(kBackup);
        static_cast<void>(machine.node().on_storage(
            [&machine](storage::Store& store) { machine.backed_up = store.backup(kBackup).has_value(); }));
        return;
    }
    if (!machine.backed_up || machine.lost) return;
    if (machine.up()) {
        network_.kill(machine.id());
        machine.stop();
    }
    machine.disk().take_away("state/state.db-wal");
    machine.disk().cut("state/reserve", 0, false);
    machine.disk().copy(kBackup, "state/state.db");
    machine.retired = false;
    machine.restored = true;
    machine.clock_error = 0s;  // versions after a restoration begin with the date
    invariants_->restored(machine);
    struck("backup restored");
    tell(machine, "is restored from its backup");
    time_.after(between(0s, 10s), [this, &machine] { come_back(machine); });
}

/// A device is lost for good, and another user hands in its sealed exit.
void Storm::lose_device() {
    Machine* machine = any_running();
    if (machine == nullptr || machine->leaving) return;
    machine->lost = true;
    tell(*machine, "is lost for good");
    struck("device lost for good");
    machine->leaving = true;
    crash(*machine, true, 0s);
    invariants_->exit_signed(machine->id());
    time_.after(between(0s, 10s), [this, machine] { hand_in_sealed_exit(*machine); });
}

void Storm::hand_in_sealed_exit(const Machine& lost) {
    Machine* helper = any_running();
    if (helper == nullptr) return;
    static_cast<void>(helper->node().submit_notice(sign_notice(
        lost.identity(), network_id_, ExitNotice{lost.id(), WallTime{1'700'000'000s}, lost.membership})));
}

/// The network's key expels one of those that attack.
void Storm::expel_somebody() {
    const NodeId& member = hostile_[random_.below(hostile_.size())]->id();
    struck("expelled");
    expelled_.insert(member);
    hand_in_revocation(member);
}

void Storm::hand_in_revocation(const NodeId& member) {
    Machine* helper = any_running();
    if (helper == nullptr) return;
    static_cast<void>(helper->node().submit_network_statement(
        NetworkStatementKind::revocation,
        sign_revocation(*network_key_, network_id_,
                        {network_key_->id(), member, 1, WallTime{1'700'000'000s}})));
}

// ---------------------------------------------------------------- calm

void Storm::calm_down() {
    stormy_ = false;
    blocked_.clear();
    for (const auto& peer : hostile_)
        peer->stop();
    for (auto& machine : machines_) {
        machine->disk().cancel_crash();
        machine->disk().capacity = std::numeric_limits<std::uint64_t>::max();
        machine->disk().error_rate = 0.0;
        machine->clock_error = 0s;
        join(*machine);
        if (machine->disk().crashed()) machine->disk().restart(true);
        if (machine->host()) {
            machine->host()->set_clock_error(0s);
            machine->clock_set_at = time_.now();
        }
        come_back(*machine);
    }
    repeat_commands();
}

/// A user whose command to leave was lost in a crash gives it again. So does the user who handed in the
/// sealed exit of a lost device.
void Storm::repeat_commands() {
    for (auto& machine : machines_) {
        if (!machine->leaving) continue;
        if (machine->up() && !machine->engine().own_exit().begun) begin_exit(*machine);
        const bool unheard = std::none_of(machines_.begin(), machines_.end(), [&](const auto& other) {
            return other->up() && other->engine().has_tombstone(machine->id());
        });
        if (machine->lost && unheard) hand_in_sealed_exit(*machine);
    }
    for (const auto& member : expelled_)
        if (std::none_of(machines_.begin(), machines_.end(), [&](const auto& machine) {
                return machine->up() && machine->engine().is_expelled(member);
            }))
            hand_in_revocation(member);
}

/// Adds again the peers that a user removed, or that a backup says were removed.
void Storm::make_up(Machine& machine) {
    for (const auto& status : machine.engine().peers()) {
        if (status.state != PeerState::former) continue;
        for (const auto& neighbour : machine.neighbours)
            if (neighbour.id == status.id) machine.node().add_neighbour(neighbour, true);
    }
}

void Storm::check_calm() {
    std::optional<BrokenInvariant> open;
    const Duration pause = std::max<Duration>(kLeastPause, lease_time_ / 72);
    for (int i = 0; i < kMostChecks && !invariants_->violation(); ++i) {
        for (auto& machine : machines_)
            if (machine->up()) make_up(*machine);
        repeat_commands();
        run_until(time_.now() + pause);
        open = unsettled();
        if (!open) break;
    }
    check_everybody();
    for (const auto& machine : machines_) {
        invariants_->check_stored(*machine);
        if (!open) invariants_->check_erased(*machine);
    }
    if (open) invariants_->fail(open->rule, open->detail + ", long after the storm");
}

}  // namespace unlearn::sim::faults
