#pragma once

#include <map>

#include "protocol/engine/allowance.hpp"
#include "protocol/engine/context.hpp"
#include "protocol/limits.hpp"

namespace unlearn::protocol {

/// Owns how much each neighbour may still make us write to disk. What exceeds it waits for a later
/// announcement. It is kept in memory only: a restart fills it up again.
class WriteAllowances {
  public:
    explicit WriteAllowances(const EngineContext& context) : context_(context) {}

    /// Counts a new version of the owner's seed. @return false, and counts nothing, when that is too much
    [[nodiscard]] bool take_seed(const NodeId& owner, std::size_t payload_bytes) {
        Allowed& allowed = of(owner);
        const SteadyTime now = context_.now.steady;
        const auto bytes = static_cast<double>(payload_bytes + kSeedWriteOverhead);
        return allowed.seed_bytes.has(bytes, now) && allowed.seeds.take(1, now) &&
               allowed.seed_bytes.take(bytes, now);
    }
    /// Counts a write of a lease of the owner's seed. @return false when that is too much
    [[nodiscard]] bool take_lease(const NodeId& owner) {
        return of(owner).leases.take(1, context_.now.steady);
    }

  private:
    struct Allowed {
        Allowance seeds{kNewSeedBurst, kNewSeedsPerSecond};
        Allowance seed_bytes{kSeedWriteBurst, kSeedWriteBytesPerDay / 86'400.0};
        Allowance leases;
    };

    Allowed& of(const NodeId& owner) {
        const std::chrono::duration<double> renewal = context_.config.lease_renewal;
        return allowed_
            .try_emplace(owner,
                         Allowed{.leases = {kLeaseWriteBurst, kLeaseWritesPerRenewal / renewal.count()}})
            .first->second;
    }

    const EngineContext& context_;
    std::map<NodeId, Allowed> allowed_;
};

}  // namespace unlearn::protocol
