#pragma once

#include <map>
#include <optional>
#include <vector>

#include "protocol/engine/held_seeds.hpp"

namespace unlearn::protocol {

/// Owns the exits of others. A tombstone counts from the moment it is here, durable or not; an exit is passed
/// on once it is durable; a receipt is signed once the owner's seed is erased in memory and on disk.
class PeerExits {
  public:
    PeerExits(EngineContext& context, Writes& writes, Peers& peers, Sessions& sessions, Erasures& erasures,
              HeldSeeds& held)
        : context_(context),
          writes_(writes),
          peers_(peers),
          sessions_(sessions),
          erasures_(erasures),
          held_(held) {}

    void load(LoadedState& state);
    /// Takes up again what a stop interrupted.
    void start();

    /// An exit that was unknown so far. `heard_from`: who need not be told.
    void learn(const ExitNotice& notice, const SignedBytes& signed_notice, std::optional<NodeId> heard_from);
    /// The owner asks again because our receipt was lost or is not signed yet.
    void answer_again(const NodeId& owner, const NodeId& asked_by);
    /// The owner has said Hello although it left: a copy, or a lost device that does not know.
    void greet(SessionId id, Session& session);
    /// Goes on with the erasure as far as it can. Nothing happens for an owner that has not left.
    /// @return whether the owner's seed is erased with this
    bool advance(const NodeId& owner);
    bool on(const after_write::TombstoneStored& stored);
    bool on(const after_write::SeedErased& stored);

    /// Lets a former peer connect again: it gets its receipt, and gives us ours, all the same.
    /// @return whether it was one
    bool let_in_again(const NodeId& peer);

    [[nodiscard]] bool contains(const NodeId& owner) const { return exits_.contains(owner); }
    /// The very notice that is known of its owner.
    [[nodiscard]] bool is_known(const NodeId& owner, const SignedBytes& notice) const;
    [[nodiscard]] std::size_t size() const { return exits_.size(); }
    [[nodiscard]] std::vector<NodeId> owners() const;
    /// Sorted; those that are not durable yet on their own.
    [[nodiscard]] std::vector<BurntId> durable() const;
    [[nodiscard]] std::vector<BurntId> not_durable() const;
    /// The notices of those of `sorted` whose exit is durable here, in their order.
    [[nodiscard]] std::vector<SignedBytes> notices_of(const std::vector<BurntId>& sorted) const;
    /// Whether the seed of an owner that has left is still being erased.
    [[nodiscard]] bool is_erasing() const;
    /// Whether there is a neighbour besides `peer` that has not left.
    [[nodiscard]] bool has_neighbour_besides(const NodeId& peer) const;

  private:
    struct PeerExit {
        SignedBytes notice;
        SeedVersion erased_version{};
        bool tombstone_durable = false;
        bool passed_on = false;
        bool erase_asked = false;
        bool erased = false;
        std::optional<NodeId> heard_from;
    };

    bool advance(const NodeId& owner, PeerExit& exit);
    void pass_on(PeerExit& exit);
    void finish_erasure(const NodeId& owner);
    void send_receipt(const NodeId& owner, const PeerExit& exit);

    EngineContext& context_;
    Writes& writes_;
    Peers& peers_;
    Sessions& sessions_;
    Erasures& erasures_;
    HeldSeeds& held_;
    std::map<NodeId, PeerExit> exits_;
};

}  // namespace unlearn::protocol
