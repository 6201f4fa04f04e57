#pragma once

#include <functional>
#include <optional>
#include <string>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

namespace unlearn::runtime {

/// What a node makes of a complete seed.
struct SeedVerdict {
    std::optional<std::string> problem;  ///< it cannot be used at all
    std::optional<std::string> aside;    ///< it can, but would do harm: kept and shown, not averaged in
};

/// Where a node keeps its neighbours' seeds to predict with: the border between the protocol and learning.
///
/// All functions are called on the node's thread and return at once. `done` may be called on any thread.
class SeedHolder {
  public:
    virtual ~SeedHolder() = default;

    /// Judges a complete seed by itself and prepares it, without using it.
    virtual void check(const protocol::NodeId& owner, protocol::SeedVersion version,
                       const std::string& architecture, protocol::SharedSeedBytes payload,
                       std::function<void(SeedVerdict)> done) = 0;
    /// Takes the prepared seed into the ensemble and replaces an older version.
    virtual void install(const protocol::NodeId& owner, protocol::SeedVersion version) = 0;
    /// Takes the owner's seed out of use at once, and keeps it prepared: `install` brings it back.
    virtual void suspend(const protocol::NodeId& owner, protocol::SeedVersion version) = 0;
    /// From the return of this call on, no new prediction uses the owner's seed. Nothing that is still being
    /// prepared for the owner may be used later.
    virtual void drop(const protocol::NodeId& owner) = 0;
    /// `done` is called when no prediction uses the owner's seed any more and its memory is overwritten.
    virtual void wipe(const protocol::NodeId& owner, std::function<void()> done) = 0;
};

}  // namespace unlearn::runtime
