#pragma once

#include <map>
#include <set>

#include "protocol/engine/context.hpp"

namespace unlearn::protocol {

/// Owns what must still be overwritten: seeds of others in memory, until SeedWiped, and seeds that may be on
/// disk, until their erasure is durable. A receipt is signed only when neither has anything left.
class Erasures {
  public:
    explicit Erasures(EngineContext& context) : context_(context) {}

    /// Asks for the memory of the owner's seed to be overwritten.
    void wipe(const NodeId& owner, SeedVersion version);
    /// @return whether nothing of the owner's is being overwritten any more
    [[nodiscard]] bool finish_wipe(const NodeId& owner);
    [[nodiscard]] bool is_wiping(const NodeId& owner) const { return wiping_.contains(owner); }
    /// The version that is being overwritten in memory, 0 when none is.
    [[nodiscard]] SeedVersion wiped_version(const NodeId& owner) const;

    void put_on_disk(const NodeId& owner) { on_disk_.insert(owner); }
    /// @return whether it may have been there
    bool erased_from_disk(const NodeId& owner) { return on_disk_.erase(owner) > 0; }
    [[nodiscard]] bool may_be_on_disk(const NodeId& owner) const { return on_disk_.contains(owner); }
    [[nodiscard]] const std::set<NodeId>& all_on_disk() const { return on_disk_; }

    /// The user removed the owner from our peers, and its seed is being erased.
    void begin_removal(const NodeId& owner) { removing_.insert(owner); }
    void end_removal(const NodeId& owner) { removing_.erase(owner); }
    [[nodiscard]] bool is_removing(const NodeId& owner) const { return removing_.contains(owner); }

  private:
    /// WipeSeed effects that are not answered yet.
    struct Wiping {
        int pending = 0;
        SeedVersion version{};
    };

    EngineContext& context_;
    std::map<NodeId, Wiping> wiping_;
    std::set<NodeId> on_disk_;  ///< owners whose seed may be in storage
    std::set<NodeId> removing_;
};

}  // namespace unlearn::protocol
