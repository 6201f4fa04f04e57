#pragma once

#include <map>
#include <set>

#include "protocol/engine/context.hpp"

namespace unlearn::protocol {

/// Owns what must still be overwritten: seeds of others in memory, until SeedWiped, and seeds that may be on
/// disk, until their erasure is durable. A receipt is signed only when nothing is left in either place.
class Erasures {
  public:
    explicit Erasures(EngineContext& context) : context_(context) {}

    /// Asks the node to overwrite the memory of the owner's seed.
    void wipe(const NodeId& owner, SeedVersion version);
    /// Counts one SeedWiped. @return true when it was the last one for the owner
    [[nodiscard]] bool finish_wipe(const NodeId& owner);
    [[nodiscard]] bool is_wiping(const NodeId& owner) const { return wiping_.contains(owner); }
    /// The version that is being overwritten in memory, or that was erased when its owner was expelled, or 0.
    [[nodiscard]] SeedVersion wiped_version(const NodeId& owner) const;
    /// Keeps the version that is erased before its owner leaves: our receipt must name it.
    void keep_erased_version(const NodeId& owner, SeedVersion version) { erased_versions_[owner] = version; }

    /// From now on, the owner's seed may be on disk.
    void put_on_disk(const NodeId& owner) { on_disk_.insert(owner); }
    /// The owner's seed is erased from disk. @return whether it may have been there
    bool erased_from_disk(const NodeId& owner) { return on_disk_.erase(owner) > 0; }
    [[nodiscard]] bool may_be_on_disk(const NodeId& owner) const { return on_disk_.contains(owner); }
    [[nodiscard]] const std::set<NodeId>& all_on_disk() const { return on_disk_; }

    /// The user has removed the owner from our peers, and its seed is being erased.
    void begin_removal(const NodeId& owner) { removing_.insert(owner); }
    void end_removal(const NodeId& owner) { removing_.erase(owner); }
    [[nodiscard]] bool is_removing(const NodeId& owner) const { return removing_.contains(owner); }

  private:
    /// WipeSeed effects of one owner that are not answered yet.
    struct Wiping {
        int pending = 0;
        SeedVersion version{};
    };

    EngineContext& context_;
    std::map<NodeId, Wiping> wiping_;
    std::map<NodeId, SeedVersion> erased_versions_;  ///< of owners that are expelled
    std::set<NodeId> on_disk_;                       ///< owners whose seed may be in storage
    std::set<NodeId> removing_;
};

}  // namespace unlearn::protocol
