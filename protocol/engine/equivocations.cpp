#include "protocol/engine/equivocations.hpp"

#include "protocol/digest.hpp"
#include "protocol/limits.hpp"

namespace unlearn::protocol {

void Equivocations::load(const LoadedState& state) {
    for (const auto& proof : state.equivocations)
        proven_[proof.owner].insert(proof.version);
    context_.counters.equivocations = state.equivocations.size();
}

void Equivocations::prove(const NodeId& owner, SeedVersion version, const SignedBytes& first,
                          const SignedBytes& second) {
    auto& versions = proven_[owner];
    if (versions.size() >= kMaxEquivocationsKept || !versions.insert(version).second) {
        ++context_.counters.messages_ignored;
        return;
    }
    ++context_.counters.equivocations;
    context_.note(EventKind::equivocation, owner, version,
                  to_hex(digest_of(second.bytes).view()) + " is not the record that came first");
    writes_.persist({PutEquivocation{owner, version, first, second}}, after_write::Nothing{});
}

std::size_t Equivocations::size() const {
    std::size_t count = 0;
    for (const auto& [owner, versions] : proven_)
        count += versions.size();
    return count;
}

}  // namespace unlearn::protocol
