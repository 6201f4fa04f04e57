#include "protocol/engine/members.hpp"

#include <algorithm>

#include "protocol/limits.hpp"

namespace unlearn::protocol {

void Members::load(const LoadedState& state) {
    for (const auto& stored : state.members) {
        last_admitted_ = std::max(last_admitted_, stored.admitted);
        members_.emplace(stored.member, Member{terms_in(stored), stored.admitted, stored.membership});
    }
}

/// Reads a stored membership. It was checked when it came, and counts also while no key does.
MembershipTerms Members::terms_in(const PutMember& stored) const {
    if (const auto read = read_term_membership(stored.membership))
        return {read->network_key, stored.member, read->number, read->not_before, read->not_after};
    return network_key_.terms_of(stored.member, stored.membership)
        .value_or(MembershipTerms{{}, stored.member, 0, {}, std::nullopt});
}

// ---------------------------------------------------------------- memberships

bool Members::is_listed(const NodeId& peer) const {
    const Peer* known = peers_.find(peer);
    return known != nullptr && !known->former && known->source != PeerSource::membership;
}

std::optional<WallTime> Members::end_of(const MembershipTerms& terms) const {
    const auto by_successor = network_key_.end_of_memberships_by(terms.network_key);
    if (!by_successor || !terms.not_after) return by_successor ? by_successor : terms.not_after;
    return std::min(*by_successor, *terms.not_after);
}

std::optional<WallTime> Members::end_of(const NodeId& member) const {
    const auto known = members_.find(member);
    return known == members_.end() ? std::nullopt : end_of(known->second.terms);
}

bool Members::has_ended(const MembershipTerms& terms) const {
    if (terms.number == 0 && !context_.config.members.without_end) return true;
    const auto end = end_of(terms);
    return end && context_.now.wall >= *end;
}

bool Members::admit(const NodeId& member, const std::optional<SignedBytes>& membership) {
    const auto known = members_.find(member);
    const auto terms = network_key_.terms_of(member, membership);
    if (is_gone_(member)) return terms.has_value();
    if (!terms) return known != members_.end();
    // What a replaced key signs counts only where it was known before: nobody can tell when it was signed.
    const bool is_new = known == members_.end() || known->second.membership != *membership;
    const bool counts =
        terms->network_key == network_key_.current() && context_.now.wall >= terms->not_before;
    if (!is_new || !counts) return known != members_.end();
    if (known == members_.end()) {
        if (!make_room()) return false;
        put(member, *terms, *membership, ++last_admitted_);
        return true;
    }
    const MembershipTerms& before = known->second.terms;
    const bool other_key = before.network_key != terms->network_key;
    if (!other_key && terms->number <= before.number) return true;
    // Whoever lets its membership end stands at the end of the line when it comes back.
    const std::uint64_t admitted = has_ended(before) ? ++last_admitted_ : known->second.admitted;
    put(member, *terms, *membership, admitted);
    return true;
}

void Members::put(const NodeId& member, const MembershipTerms& terms, const SignedBytes& membership,
                  std::uint64_t admitted) {
    members_.insert_or_assign(member, Member{terms, admitted, membership});
    changed_ = true;
    writes_.persist({PutMember{member, admitted, membership}}, after_write::Nothing{});
}

/// Forgets a member whose membership has ended, when there is no room for another one.
bool Members::make_room() {
    if (members_.size() < kMaxMembersFromHello) return true;
    const auto ended = std::find_if(members_.begin(), members_.end(),
                                    [this](const auto& known) { return has_ended(known.second.terms); });
    if (ended == members_.end()) return false;
    writes_.persist({DropMember{ended->first}}, after_write::Nothing{});
    members_.erase(ended);
    return true;
}

bool Members::may_only_leave(const NodeId& peer) const {
    if (!network_key_.exists()) return false;
    if (is_expelled_(peer)) return true;
    if (is_listed(peer)) return false;
    const auto known = members_.find(peer);
    return known == members_.end() || has_ended(known->second.terms);
}

// ---------------------------------------------------------------- places

std::vector<NodeId> Members::listed_in_order() const {
    std::vector<NodeId> order;
    std::set<NodeId> configured;
    for (const auto& neighbour : context_.config.neighbours)
        if (is_listed(neighbour.id) && configured.insert(neighbour.id).second) order.push_back(neighbour.id);
    const auto added = static_cast<std::ptrdiff_t>(order.size());
    for (const auto& [id, peer] : peers_.all())
        if (is_listed(id) && !configured.contains(id)) order.push_back(id);
    std::sort(order.begin() + added, order.end(), [this](const NodeId& a, const NodeId& b) {
        return peers_.find(a)->added < peers_.find(b)->added;
    });
    return order;
}

std::vector<NodeId> Members::members_in_order() const {
    std::vector<NodeId> order;
    for (const auto& [id, member] : members_)
        if (!is_listed(id) && !peers_.is_former(id) && !has_ended(member.terms)) order.push_back(id);
    std::sort(order.begin(), order.end(), [this](const NodeId& a, const NodeId& b) {
        return members_.at(a).admitted < members_.at(b).admitted;
    });
    return order;
}

std::set<NodeId> Members::give_out() const {
    std::set<NodeId> places;
    for (const NodeId& owner : listed_in_order())
        if (places.size() < context_.config.seed_room.places && !is_gone_(owner)) places.insert(owner);
    if (context_.config.members.policy != MemberPolicy::exchange) return places;
    std::size_t taken = 0;
    for (const NodeId& owner : members_in_order()) {
        if (taken >= context_.config.members.limit || places.size() >= context_.config.seed_room.places)
            break;
        if (!is_gone_(owner)) taken += places.insert(owner).second ? 1 : 0;
    }
    return places;
}

Members::Changes Members::refresh() {
    std::erase_if(members_, [this](const auto& known) {
        if (!is_gone_(known.first)) return false;
        writes_.persist({DropMember{known.first}}, after_write::Nothing{});
        return true;
    });
    auto places = give_out();
    Changes changes;
    std::set_difference(places.begin(), places.end(), places_.begin(), places_.end(),
                        std::back_inserter(changes.gained));
    std::set_difference(places_.begin(), places_.end(), places.begin(), places.end(),
                        std::back_inserter(changes.lost));
    places_ = std::move(places);
    return changes;
}

bool Members::exchanges(const NodeId& owner) const {
    // Without a key and without a limit there is nothing to give out.
    const bool free_for_all =
        !network_key_.exists() && context_.config.seed_room.places == SeedRoom::kUnlimited;
    return free_for_all || places_.contains(owner);
}

Admission Members::why_no_seeds(const NodeId& owner) const {
    if (exchanges(owner)) return Admission::admitted;
    if (is_expelled_(owner)) return Admission::expelled;
    if (is_listed(owner)) return Admission::no_place;
    if (may_only_leave(owner)) return Admission::no_membership;
    return context_.config.members.policy == MemberPolicy::exchange ? Admission::no_place
                                                                    : Admission::exits_only;
}

}  // namespace unlearn::protocol
