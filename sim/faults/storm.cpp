#include <algorithm>

#include "sim/faults/fault_world.hpp"

/// What goes wrong in a world, and how it must look when nothing goes wrong any more.
namespace unlearn::sim {

using namespace protocol;
using namespace std::chrono_literals;

namespace {

constexpr auto kCheckEvery = 15s;
/// A peer that was dropped again and again is let in again after ten minutes at most.
constexpr int kMostChecks = 120;

}  // namespace

FaultWorld::Duration FaultWorld::between(Duration least, Duration most) {
    return least + Duration(static_cast<std::int64_t>(
                       random_.below(static_cast<std::uint64_t>((most - least).count()) + 1)));
}

Machine& FaultWorld::any_machine() {
    return *machines_[random_.below(machines_.size())];
}

Machine* FaultWorld::any_running() {
    for (int i = 0; i < 8; ++i)
        if (Machine& machine = any_machine(); machine.up()) return &machine;
    return nullptr;
}

void FaultWorld::plan(Duration from, Duration to, std::size_t times, std::function<void()> what) {
    for (std::size_t i = 0; i < times; ++i)
        time_.at(between(from, to), [this, what] {
            if (stormy_) what();
        });
}

void FaultWorld::plan_storm(Duration end) {
    const std::size_t n = machines_.size();
    const Duration begin = 8s;
    const Duration lease = lease_time_;
    // How long things last, for a storm of this length.
    const Duration brief = std::min<Duration>(end / 30, 30s);

    plan(begin, end, n, [this] {
        if (Machine* machine = any_running()) publish(*machine);
    });
    plan(begin, end, n / 5 + 1, [this] {
        if (Machine* machine = any_running()) begin_exit(*machine);
    });
    // Crashes: at any moment, at any write, and for longer than a lease.
    plan(begin, end, n, [this, brief] {
        if (Machine* machine = any_running()) crash(*machine, chance(0.5), between(0s, brief));
    });
    plan(begin, end, 2 * n, [this] {
        if (Machine* machine = any_running()) arm(*machine);
    });
    plan(begin, end, n / 8 + 1, [this, lease] {
        if (Machine* machine = any_running()) crash(*machine, chance(0.5), between(lease, lease + lease / 2));
    });
    if (chance(0.4))
        plan(begin, end, 1, [this, brief] {
            for (auto& machine : machines_)
                crash(*machine, true, between(0s, brief));
        });
    // A machine dies in the middle of an exit that it hears of, or of its own.
    plan(begin, end, n / 4 + 1, [this] {
        Machine* machine = any_running();
        if (machine == nullptr) return;
        arm(*machine);
        if (chance(0.3)) return begin_exit(*machine);
        for (const auto& neighbour : machine->neighbours)
            if (Machine* other = machine_of(neighbour.id); other != nullptr && other->up() && chance(0.3))
                return begin_exit(*other);
    });
    plan(begin, end, n / 2, [this, brief, lease] {
        if (Machine* machine = any_running())
            machine->host->pause_until(time_.now() +
                                       (chance(0.1) ? lease + lease / 10 : between(100ms, brief)));
    });
    plan(begin, end, n / 3, [this] {
        Machine& machine = any_machine();
        if (machine.restored) return;
        machine.clock_error = std::chrono::seconds(static_cast<std::int64_t>(random_.below(7200)) - 3600);
        machine.clock_set_at = time_.now();
        if (machine.host) machine.host->set_clock_error(machine.clock_error);
    });
    plan(begin, end, n / 2, [this] { break_links(); });
    plan(begin, end, n / 2, [this] { bad_disk(); });
    plan(begin, end, n / 3 + 1, [this] { restore_backup(); });
    plan(begin, end, n / 16, [this] { lose_device(); });
    plan(begin, end, 6, [this] { loss_ = chance(0.5) ? 0.0 : 0.1 * random_.uniform(); });
    plan(begin, end, n / 8, [this] {
        // A user changes their mind about a peer, and again.
        Machine* machine = any_running();
        if (machine == nullptr || machine->neighbours.empty()) return;
        const auto peer = machine->neighbours[random_.below(machine->neighbours.size())];
        if (machine_of(peer.id) == nullptr) return;
        machine->node->remove_neighbour(peer.id);
        parted_.insert({machine->index, machine_of(peer.id)->index});
        time_.after(between(1s, 20s), [this, machine, peer] {
            if (!machine->up()) return;
            machine->node->add_neighbour(peer, true);
            parted_.erase({machine->index, machine_of(peer.id)->index});
        });
    });
    plan(begin, end, 60, [this] { hostile_[random_.below(hostile_.size())]->attack(); });

    const Duration every = std::max<Duration>(end / 360, 1s);
    for (Duration at = begin; at < end; at += every)
        time_.at(at, [this] {
            for (const auto& machine : machines_)
                invariants_->check_running(*machine);
            invariants_->check_disk(any_machine());
        });
}

Fate FaultWorld::fate_of(const network::Frames&) {
    Fate fate;
    if (!stormy_) return fate;
    const double luck = random_.uniform();
    if (luck < loss_) {
        fate.copies = 0;
        return fate;
    }
    const double rare = random_.uniform();
    if (rare < 0.0002)
        fate.copies = 2;
    else if (rare < 0.0004)
        fate.flipped = random_.next();
    else if (rare < 0.0008)
        fate.overtakes = true;
    else if (rare < 0.01)
        fate.delay = between(50ms, 3s);
    return fate;
}

void FaultWorld::break_links() {
    std::vector<std::pair<NodeId, NodeId>> cut;
    if (chance(0.3)) {
        // The network falls into two parts.
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
        const bool one_way = chance(0.5);
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

void FaultWorld::bad_disk() {
    Machine& machine = any_machine();
    if (chance(0.5))
        machine.disk.capacity = machine.disk.used() + random_.below(64 * 1024);
    else
        machine.disk.error_rate = 0.02 + 0.3 * random_.uniform();
    time_.after(between(1s, 20s), [&machine] {
        machine.disk.capacity = std::numeric_limits<std::uint64_t>::max();
        machine.disk.error_rate = 0.0;
    });
}

/// Takes a backup, or puts one back: also one of a node that has left since.
void FaultWorld::restore_backup() {
    static const std::string kBackup = std::filesystem::absolute("backup.db").string();
    Machine& machine = any_machine();
    if (machine.up() && !machine.backed_up) {
        machine.disk.remove(kBackup);
        static_cast<void>(machine.node->on_storage(
            [&machine](storage::Store& store) { machine.backed_up = store.backup(kBackup).has_value(); }));
        return;
    }
    if (!machine.backed_up || machine.lost) return;
    if (machine.up()) {
        network_.kill(machine.id());
        stop(machine);
    }
    machine.disk.remove("state/state.db-wal");
    machine.disk.cut("state/reserve", 0, false);
    machine.disk.copy(kBackup, "state/state.db");
    machine.retired = false;
    machine.restored = true;
    machine.clock_error = 0s;  // versions after a restoration begin with the date
    invariants_->restored(machine);
    tell(machine, "is restored from its backup");
    time_.after(between(0s, 10s), [this, &machine] { come_back(machine); });
}

/// A device is lost for good, and somebody else hands in its sealed exit.
void FaultWorld::lose_device() {
    Machine* machine = any_running();
    if (machine == nullptr || machine->leaving) return;
    machine->lost = true;
    tell(*machine, "is lost for good");
    machine->leaving = true;
    crash(*machine, true, 0s);
    invariants_->exit_signed(machine->id());
    const auto notice = sign_notice(machine->identity, network_id_,
                                    ExitNotice{machine->id(), WallTime{1'700'000'000s}, machine->membership});
    time_.after(between(0s, 10s), [this, notice] {
        if (Machine* helper = any_running()) static_cast<void>(helper->node->submit_notice(notice));
    });
}

// ---------------------------------------------------------------- calm

void FaultWorld::end_storm() {
    stormy_ = false;
    parted_.clear();
    blocked_.clear();
    armed_.clear();
    for (const auto& peer : hostile_)
        peer->stop();
    for (auto& machine : machines_) {
        machine->disk.cancel_crash();
        machine->disk.capacity = std::numeric_limits<std::uint64_t>::max();
        machine->disk.error_rate = 0.0;
        machine->clock_error = 0s;
        if (machine->disk.crashed()) machine->disk.restart(true);
        if (machine->host) {
            machine->host->set_clock_error(0s);
            machine->clock_set_at = time_.now();
        }
        come_back(*machine);
        // A user whose command was lost in a crash gives it again.
        if (machine->up() && machine->leaving && !machine->engine().own_exit().begun) begin_exit(*machine);
    }
}

/// Peers that a user removed, or that a backup says were removed, are added again.
void FaultWorld::make_up(Machine& machine) {
    for (const auto& status : machine.engine().peers()) {
        if (status.state != PeerState::former) continue;
        for (const auto& neighbour : machine.neighbours)
            if (neighbour.id == status.id) machine.node->add_neighbour(neighbour, true);
    }
}

std::optional<Violation> FaultWorld::unsettled() {
    const auto name = [](const Machine& machine) { return "node-" + std::to_string(machine.index); };
    const auto is_legitimately_missing = [&](const NodeId& holder) {
        const Machine* machine = machine_of(holder);
        return machine == nullptr || machine->lost || machine->restored || machine->retired;
    };
    const auto knows = [](const Machine& machine, const Machine& owner) {
        if (machine.index == owner.index) return machine.engine().own_exit().announced;
        return machine.engine().has_tombstone(owner.id());
    };
    for (const auto& machine : machines_) {
        if (machine->lost || machine->retired) continue;
        if (!machine->up()) return Violation{"everybody-is-back", name(*machine) + " is still down"};
        const auto exit = machine->engine().own_exit();
        if (exit.begun && !exit.complete) {
            for (const auto& [holder, recipient] : exit.recipients)
                if (!exit.receipts.contains(holder) && !is_legitimately_missing(holder))
                    return Violation{"exits-complete",
                                     name(*machine) + " has no receipt of " + name_of(holder)};
        }
        for (const auto& neighbour : machine->neighbours) {
            Machine* other = machine_of(neighbour.id);
            if (other == nullptr || !other->up()) continue;
            if (parted_.contains({machine->index, other->index}) ||
                parted_.contains({other->index, machine->index}))
                continue;
            for (const auto& owner : machines_)
                if (owner->leaving && knows(*machine, *owner) != knows(*other, *owner))
                    return Violation{"everybody-knows", name(*machine) + " and its neighbour " +
                                                            name(*other) + " differ about " + name(*owner)};
            if (machine->leaving || other->leaving) continue;
            if (!machine->uses(other->id()))
                return Violation{"seeds-arrive",
                                 name(*machine) + " does not use the seed of " + name(*other)};
        }
    }
    return std::nullopt;
}

void FaultWorld::check_calm() {
    std::optional<Violation> open;
    for (int i = 0; i < kMostChecks && !invariants_->violation(); ++i) {
        for (auto& machine : machines_)
            if (machine->up()) make_up(*machine);
        run_until(time_.now() + kCheckEvery);
        for (const auto& machine : machines_)
            invariants_->check_running(*machine);
        open = unsettled();
        if (!open) break;
    }
    for (const auto& machine : machines_)
        invariants_->check_disk(*machine);
    if (open) invariants_->fail(open->rule, open->detail + ", long after the storm");
}

}  // namespace unlearn::sim
