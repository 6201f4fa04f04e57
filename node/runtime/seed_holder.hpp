#pragma once

#include <functional>
#include <optional>
#include <string>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

namespace unlearn::runtime {

/// Where a node keeps its neighbours' seeds to predict with: the border between the protocol and learning.
///
/// All functions are called on the node's thread and return at once. `done` may be called on any thread.
class SeedHolder {
  public:
    virtual ~SeedHolder() = default;

    /// Judges a complete seed and prepares it, without using it. `done` gets what is wrong with it, or
    /// nothing.
    virtual void check(const protocol::NodeId& owner, protocol::SeedVersion version,
                       const std::string& architecture, protocol::SharedSeedBytes payload,
                       std::function<void(std::optional<std::string>)> done) = 0;
    /// Takes the prepared seed into the ensemble, in place of an older version.
    virtual void install(const protocol::NodeId& owner, protocol::SeedVersion version) = 0;
    /// From the return of this call on, no new prediction uses the owner's seed. Nothing that is still being
    /// prepared for the owner may be used later.
    virtual void drop(const protocol::NodeId& owner) = 0;
    /// `done` is called when no prediction uses the owner's seed any more and its memory is overwritten.
    virtual void wipe(const protocol::NodeId& owner, std::function<void()> done) = 0;
};

}  // namespace unlearn::runtime
