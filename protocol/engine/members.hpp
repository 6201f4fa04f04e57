#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "protocol/engine/admission.hpp"
#include "protocol/engine/network_key.hpp"
#include "protocol/engine/peers.hpp"

namespace unlearn::protocol {

/// Owns the members that let themselves in, and who exchanges seeds with us.
///
/// There is a limited number of places, one for each owner, and each has room for one seed. Neighbours that
/// the operator named come first, in the order of the configuration. Members follow in the order in which
/// they were first admitted. So the places are a function of that list alone: when somebody leaves, the
/// others have the places that they would have had without it.
class Members {
  public:
    /// True for an owner that has left or is expelled.
    using IsGone = std::function<bool(const NodeId&)>;

    Members(EngineContext& context, Writes& writes, const Peers& peers, const NetworkKey& network_key,
            IsGone is_gone, IsGone is_expelled)
        : context_(context),
          writes_(writes),
          peers_(peers),
          network_key_(network_key),
          is_gone_(std::move(is_gone)),
          is_expelled_(std::move(is_expelled)) {}

    void load(const LoadedState& state);

    /// Takes the membership that a node shows in its Hello.
    /// @return whether the node may connect as a member, if only to leave
    [[nodiscard]] bool admit(const NodeId& member, const std::optional<SignedBytes>& membership);
    /// Says whether memberships have changed since the last call, so that the places may have, too.
    [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }
    /// True for a node that may send its own exit and receipts, and nothing else.
    [[nodiscard]] bool may_only_leave(const NodeId& peer) const;
    /// True for a node that has a place: we give it our seed and take its own.
    [[nodiscard]] bool exchanges(const NodeId& owner) const;
    /// Why an owner does not exchange seeds with us, or `admitted`.
    [[nodiscard]] Admission why_no_seeds(const NodeId& owner) const;

    /// Who got a place, and who lost its place.
    struct Changes {
        std::vector<NodeId> gained;
        std::vector<NodeId> lost;
    };
    /// Gives out the places anew, after something changed that they depend on, or after time passed.
    [[nodiscard]] Changes refresh();

    /// The members that let themselves in and have not left.
    [[nodiscard]] std::size_t size() const { return members_.size(); }
    /// True for a member that let itself in, now or before a restart.
    [[nodiscard]] bool is_member(const NodeId& member) const { return members_.contains(member); }
    /// The end of the membership of a member that let itself in, if it has one.
    [[nodiscard]] std::optional<WallTime> end_of(const NodeId& member) const;

  private:
    struct Member {
        MembershipTerms terms;
        std::uint64_t admitted = 0;
        SignedBytes membership;
    };

    [[nodiscard]] bool is_listed(const NodeId& peer) const;
    [[nodiscard]] MembershipTerms terms_in(const PutMember& stored) const;
    [[nodiscard]] bool has_ended(const MembershipTerms& terms) const;
    /// The end that the membership itself or a succession sets.
    [[nodiscard]] std::optional<WallTime> end_of(const MembershipTerms& terms) const;
    [[nodiscard]] std::set<NodeId> give_out() const;
    [[nodiscard]] std::vector<NodeId> listed_in_order() const;
    [[nodiscard]] std::vector<NodeId> members_in_order() const;
    void put(const NodeId& member, const MembershipTerms& terms, const SignedBytes& membership,
             std::uint64_t admitted);
    [[nodiscard]] bool make_room();

    EngineContext& context_;
    Writes& writes_;
    const Peers& peers_;
    const NetworkKey& network_key_;
    IsGone is_gone_;
    IsGone is_expelled_;
    std::map<NodeId, Member> members_;
    std::uint64_t last_admitted_ = 0;
    std::set<NodeId> places_;
    bool changed_ = false;
};

}  // namespace unlearn::protocol
