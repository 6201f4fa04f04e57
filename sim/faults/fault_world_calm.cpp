#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "node/runtime/certificate.hpp"
#include "sim/faults/fault_world.hpp"

/// What must be true of the whole world once its storm is over.
namespace unlearn::sim::faults {

using namespace protocol;

std::optional<BrokenInvariant> FaultWorld::unsettled() {
    for (const auto& machine : machines_) {
        if (machine->lost || machine->retired || !machine->joined) continue;
        if (!machine->up())
            return BrokenInvariant{"everybody-is-back", name_of(machine->id()) + " is still down"};
    }
    if (auto open = missing_exit()) return open;
    if (auto open = missing_expulsion()) return open;
    for (const auto& machine : machines_) {
        if (!machine->up()) continue;
        if (auto open = missing_receipt(*machine)) return open;
        if (auto open = missing_seed(*machine)) return open;
        if (const auto owner = invariants_->still_kept(*machine))
            return BrokenInvariant{"erased-on-disk", name_of(machine->id()) +
                                                         " still has bytes of the seed of " +
                                                         name_of(*owner) + " on its disk"};
    }
    return std::nullopt;
}

/// An owner waits for receipts exactly as long as the receipt of a recorded holder is missing. In the calm,
/// only the receipts of holders that are gone for good, or that never were our machines, may be missing; the
/// certificate says so.
std::optional<BrokenInvariant> FaultWorld::missing_receipt(const Machine& owner) const {
    const auto exit = owner.engine().own_exit();
    if (!exit.begun || exit.complete) return std::nullopt;
    bool some_are_gone = false;
    for (const auto& [holder, recipient] : exit.recipients) {
        if (runtime::status_of(exit, holder, network_id_) != runtime::HolderStatus::missing) continue;
        const Machine* machine = machine_of(holder);
        some_are_gone = machine == nullptr || machine->lost || machine->retired;
        if (!some_are_gone)
            return BrokenInvariant{"exits-complete",
                                   name_of(owner.id()) + " has no receipt of " + name_of(holder)};
    }
    if (some_are_gone) return std::nullopt;
    return BrokenInvariant{"exits-complete",
                           name_of(owner.id()) + " has all receipts and does not report its exit complete"};
}

std::optional<BrokenInvariant> FaultWorld::missing_seed(const Machine& machine) const {
    if (machine.leaving) return std::nullopt;
    for (const auto& neighbour : machine.neighbours) {
        const Machine* other = machine_of(neighbour.id);
        if (other != nullptr && other->up() && !other->leaving && !machine.uses(other->id()))
            return BrokenInvariant{
                "seeds-arrive", name_of(machine.id()) + " does not use the seed of " + name_of(other->id())};
    }
    return std::nullopt;
}

/// Every exit that a node ever had on disk, or was told to begin, must be known to all nodes that can be
/// reached from there. If a neighbour knows an exit that a node does not know, the node may have put it off,
/// for at most a day: it is the exit of a stranger, after too many others. The node cannot pass on what it
/// has not taken.
std::optional<BrokenInvariant> FaultWorld::missing_exit() const {
    for (const auto& part : connected_parts()) {
        std::set<NodeId> exits;
        for (const Machine* machine : part) {
            const auto& stored = invariants_->stored_exits(machine->id());
            exits.insert(stored.begin(), stored.end());
            const auto known = machine->engine().tombstones();
            exits.insert(known.begin(), known.end());
            if (machine->leaving) exits.insert(machine->id());
        }
        for (const auto& owner : exits) {
            const bool anybody = std::any_of(part.begin(), part.end(),
                                             [&](const Machine* machine) { return knows(*machine, owner); });
            for (const Machine* machine : part) {
                if (knows(*machine, owner)) continue;
                const auto& peers = machine->neighbours;
                const bool beside = std::any_of(peers.begin(), peers.end(), [&](const Neighbour& peer) {
                    const Machine* other = machine_of(peer.id);
                    return other != nullptr && other->up() && knows(*other, owner);
                });
                const bool put_off = puts_off(*machine, owner);
                if (!anybody || (beside && !put_off))
                    return BrokenInvariant{
                        "everybody-knows",
                        name_of(machine->id()) + " does not know of the exit of " + name_of(owner)};
            }
        }
    }
    return std::nullopt;
}

/// An expulsion that one node knows is known to all that can be reached from there.
std::optional<BrokenInvariant> FaultWorld::missing_expulsion() const {
    for (const auto& part : connected_parts())
        for (const auto& member : expelled_) {
            const auto is_expelled_at = [&](const Machine* machine) {
                return machine->engine().is_expelled(member);
            };
            if (std::none_of(part.begin(), part.end(), is_expelled_at)) continue;
            const auto without = std::find_if_not(part.begin(), part.end(), is_expelled_at);
            if (without != part.end())
                return BrokenInvariant{
                    "everybody-knows",
                    name_of((*without)->id()) + " does not know of the expulsion of " + name_of(member)};
        }
    return std::nullopt;
}

bool FaultWorld::knows(const Machine& machine, const NodeId& owner) {
    return owner == machine.id() ? machine.engine().own_exit().announced
                                 : machine.engine().has_tombstone(owner);
}

bool FaultWorld::puts_off(const Machine& machine, const NodeId& owner) const {
    const auto& counters = machine.engine().counters();
    return !network_key_ && counters.exits_put_off + counters.comparisons_incomplete > 0 &&
           std::none_of(machine.neighbours.begin(), machine.neighbours.end(),
                        [&](const Neighbour& peer) { return peer.id == owner; });
}

std::vector<std::vector<const Machine*>> FaultWorld::connected_parts() const {
    std::vector<std::vector<const Machine*>> parts;
    std::set<const Machine*> seen;
    for (const auto& first : machines_) {
        if (!first->up() || !seen.insert(first.get()).second) continue;
        std::vector<const Machine*> part{first.get()};
        for (std::size_t i = 0; i < part.size(); ++i)
            for (const auto& neighbour : part[i]->neighbours) {
                const Machine* other = machine_of(neighbour.id);
                if (other != nullptr && other->up() && seen.insert(other).second) part.push_back(other);
            }
        parts.push_back(std::move(part));
    }
    return parts;
}

std::size_t FaultWorld::exits_nobody_can_know() const {
    return static_cast<std::size_t>(std::count_if(machines_.begin(), machines_.end(), [&](const auto& owner) {
        return (owner->retired || owner->lost) &&
               std::none_of(machines_.begin(), machines_.end(), [&](const auto& machine) {
                   return machine->up() && machine->engine().has_tombstone(owner->id());
               });
    }));
}

}  // namespace unlearn::sim::faults
