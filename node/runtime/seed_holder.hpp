#pragma once

#include <functional>
#include <optional>
#include <string>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

namespace unlearn::runtime {

/// A node's judgement of a complete seed.
struct SeedVerdict {
    std::optional<std::string> problem;  ///< why it cannot be used
    std::optional<std::string> aside;    ///< why it would do harm: it is kept and shown, but not averaged in
};

/// Keeps the neighbours' seeds that a node predicts with. It is the boundary between the protocol and
/// learning.
///
/// All functions are called on the node's thread and return at once. `done` may be called on any thread.
class SeedHolder {
  public:
    virtual ~SeedHolder() = default;

    /// Judges a complete seed on its own and prepares it, without using it.
    virtual void check(const protocol::NodeId& owner, protocol::SeedVersion version,
                       const std::string& architecture, protocol::SharedSeedBytes payload,
                       std::function<void(SeedVerdict)> done) = 0;
    /// Adds the prepared seed to the ensemble, where it replaces an older version.
    virtual void install(const protocol::NodeId& owner, protocol::SeedVersion version) = 0;
    /// Takes the owner's seed out of use at once but keeps it prepared, so that `install` can bring it back.
    virtual void suspend(const protocol::NodeId& owner, protocol::SeedVersion version) = 0;
    /// After this returns, no new prediction uses the owner's seed. What is still being prepared for the
    /// owner must not be used later.
    virtual void drop(const protocol::NodeId& owner) = 0;
    /// Calls `done` when no prediction uses the owner's seed any more and its memory is overwritten.
    virtual void wipe(const protocol::NodeId& owner, std::function<void()> done) = 0;
};

}  // namespace unlearn::runtime
