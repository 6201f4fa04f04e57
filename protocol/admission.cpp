#include "protocol/admission.hpp"

namespace unlearn::protocol {

std::string_view describe(Admission admission) {
    switch (admission) {
        case Admission::admitted:
            return "admitted";
        case Admission::own_seed:
            return "our own seed";
        case Admission::owner_exited:
            return "owner has exited";
        case Admission::we_are_exiting:
            return "we are exiting";
        case Admission::not_newer:
            return "not newer than what is held";
        case Admission::refused_before:
            return "refused before";
    }
    return "unknown";
}

Admission admit(const AdmissionFacts& facts, AdmissionPoint point) {
    if (facts.owner_is_self) return Admission::own_seed;
    if (facts.owner_exited) return Admission::owner_exited;
    if (facts.we_are_exiting) return Admission::we_are_exiting;
    if (facts.refused && facts.offered <= *facts.refused) return Admission::refused_before;
    // A seed that is already in place is asked about again by `load` and `rebuild`.
    const bool may_be_held = point == AdmissionPoint::load || point == AdmissionPoint::rebuild;
    if (facts.held && (may_be_held ? facts.offered < *facts.held : facts.offered <= *facts.held))
        return Admission::not_newer;
    return Admission::admitted;
}

}  // namespace unlearn::protocol
