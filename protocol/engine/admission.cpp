#include "protocol/engine/admission.hpp"

namespace unlearn::protocol {

std::string_view describe(Admission admission) {
    switch (admission) {
        case Admission::admitted:
            return "admitted";
        case Admission::own_seed:
            return "our own seed";
        case Admission::owner_exited:
            return "owner has exited";
        case Admission::expelled:
            return "the network's key has expelled the owner";
        case Admission::we_are_exiting:
            return "we are exiting";
        case Admission::not_newer:
            return "not newer than what is held";
        case Admission::refused_before:
            return "refused before";
        case Admission::too_many_exits:
            return "too many exits are known: no seeds of further owners are accepted";
        case Admission::removed:
            return "owner was removed from our peers";
        case Admission::exits_only:
            return "let itself in by its membership, and such members exchange exits only";
        case Admission::no_membership:
            return "its membership has ended, or has not begun, or was signed by another key";
        case Admission::no_place:
            return "no place is left among those that exchange seeds";
        case Admission::too_large:
            return "larger than the share of one owner";
        case Admission::unvouched:
            return "waits until exits are compared with a neighbour other than its owner";
        case Admission::copied:
            return "a second copy of this node runs: see unlearnctl claim";
        case Admission::lease_ended:
            return "lease has ended";
        case Admission::held_aside:
            return "held aside";
    }
    return "unknown";
}

Admission admit(const AdmissionFacts& facts, AdmissionPoint point) {
    if (facts.owner_is_self) return Admission::own_seed;
    if (facts.owner_exited) return Admission::owner_exited;
    if (facts.owner_expelled) return Admission::expelled;
    if (facts.we_are_exiting) return Admission::we_are_exiting;
    if (facts.removed) return Admission::removed;
    if (facts.no_seeds != Admission::admitted) return facts.no_seeds;
    if (facts.too_large) return Admission::too_large;
    if (facts.refused && facts.offered <= *facts.refused) return Admission::refused_before;
    // `load` and `rebuild` also ask about a seed that is already in place.
    const bool may_be_held = point == AdmissionPoint::load || point == AdmissionPoint::rebuild;
    if (facts.held && (may_be_held ? facts.offered < *facts.held : facts.offered <= *facts.held))
        return Admission::not_newer;
    if (facts.too_many_exits && !facts.held && !may_be_held) return Admission::too_many_exits;
    if (point == AdmissionPoint::rebuild) {
        if (facts.copied) return Admission::copied;
        if (facts.unvouched) return Admission::unvouched;
        if (facts.lease_ended) return Admission::lease_ended;
        if (facts.held_aside) return Admission::held_aside;
    }
    return Admission::admitted;
}

}  // namespace unlearn::protocol
