#pragma once

#include <map>
#include <set>

#include "protocol/engine/writes.hpp"

namespace unlearn::protocol {

/// Owns which proofs of equivocation are stored: at most kMaxEquivocationsKept for each owner, one for each
/// version. Further ones are neither written nor reported, so that no owner fills the disk with them.
class Equivocations {
  public:
    Equivocations(EngineContext& context, Writes& writes) : context_(context), writes_(writes) {}

    void load(const LoadedState& state);
    /// Stores two different records of one owner and version. The first record counts; both together are the
    /// proof against the owner.
    void prove(const NodeId& owner, SeedVersion version, const SignedBytes& first, const SignedBytes& second);
    /// The number of versions with a proof, over all owners.
    [[nodiscard]] std::size_t size() const;

  private:
    EngineContext& context_;
    Writes& writes_;
    std::map<NodeId, std::set<SeedVersion>> proven_;
};

}  // namespace unlearn::protocol
