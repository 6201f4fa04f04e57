#include "protocol/engine/erasures.hpp"

#include <algorithm>

namespace unlearn::protocol {

void Erasures::wipe(const NodeId& owner, SeedVersion version) {
    Wiping& wiping = wiping_[owner];
    ++wiping.pending;
    wiping.version = std::max(wiping.version, version);
    context_.emit(WipeSeed{owner});
}

bool Erasures::finish_wipe(const NodeId& owner) {
    const auto wiping = wiping_.find(owner);
    if (wiping == wiping_.end() || --wiping->second.pending > 0) return false;
    wiping_.erase(wiping);
    return true;
}

SeedVersion Erasures::wiped_version(const NodeId& owner) const {
    const auto wiping = wiping_.find(owner);
    if (wiping != wiping_.end()) return wiping->second.version;
    const auto erased = erased_versions_.find(owner);
    return erased == erased_versions_.end() ? SeedVersion{0} : erased->second;
}

}  // namespace unlearn::protocol
