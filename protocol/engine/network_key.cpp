#include "protocol/engine/network_key.hpp"

#include <algorithm>

#include "protocol/limits.hpp"
#include "protocol/records.hpp"

namespace unlearn::protocol {

void NetworkKey::load(const LoadedState& state) {
    if (state.followed_key) followed_ = state.followed_key->key;
    for (const auto& stored : state.successions)
        if (const auto succession = verify_succession(context_.config.network, stored.succession))
            keep(*succession, stored.succession);
    decide();
}

std::optional<NodeId> NetworkKey::current() const {
    if (undecided_ || chain_.empty()) return std::nullopt;
    return chain_.back();
}

// ---------------------------------------------------------------- which key counts

std::set<NodeId> NetworkKey::way_to_followed() const {
    // The way is found backwards. Each key on it is named once, so that a circle ends the search.
    std::set<NodeId> way;
    if (!followed_) return way;
    for (NodeId key = *followed_; way.insert(key).second && key != *context_.config.network_key;) {
        const auto before = std::find_if(successions_.begin(), successions_.end(), [&](const auto& known) {
            return known.second.succession.next == key;
        });
        if (before == successions_.end()) return {};
        key = before->first;
    }
    return way.contains(*context_.config.network_key) ? way : std::set<NodeId>{};
}

void NetworkKey::decide() {
    chain_.clear();
    ends_.clear();
    undecided_ = false;
    if (!exists()) return;
    const auto way = way_to_followed();
    bool reached = !followed_;
    NodeId key = *context_.config.network_key;
    while (true) {
        chain_.push_back(key);
        reached = reached || key == *followed_;
        const auto begin = successions_.lower_bound(key);
        const auto end = successions_.upper_bound(key);
        const auto chosen = std::find_if(begin, end, [&](const auto& known) {
            const NodeId& next = known.second.succession.next;
            return reached ? std::next(begin) == end : way.contains(next);
        });
        if (chosen == end) {
            undecided_ = begin != end || !reached;
            return;
        }
        const Succession& succession = chosen->second.succession;
        if (std::find(chain_.begin(), chain_.end(), succession.next) != chain_.end()) return;
        ends_[key] = succession.memberships_until;
        key = succession.next;
    }
}

bool NetworkKey::is_named(const NodeId& key) const {
    return exists() && (key == *context_.config.network_key ||
                        std::any_of(successions_.begin(), successions_.end(),
                                    [&](const auto& known) { return known.second.succession.next == key; }));
}

bool NetworkKey::knows(const NodeId& key, const NodeId& next) const {
    const auto [begin, end] = successions_.equal_range(key);
    return std::any_of(begin, end, [&](const auto& known) { return known.second.succession.next == next; });
}

std::map<NodeId, std::size_t> NetworkKey::distances() const {
    std::map<NodeId, std::size_t> out{{*context_.config.network_key, 0}};
    std::vector<NodeId> reached{*context_.config.network_key};
    for (std::size_t at = 0; at < reached.size(); ++at) {
        const NodeId key = reached[at];
        const auto [begin, end] = successions_.equal_range(key);
        for (auto known = begin; known != end; ++known)
            if (out.emplace(known->second.succession.next, out.at(key) + 1).second)
                reached.push_back(known->second.succession.next);
    }
    return out;
}

bool NetworkKey::make_room(const NodeId& key) {
    if (successions_.size() < kMaxSuccessions) return true;
    const auto distance = distances();
    const auto of = [&](const NodeId& signer) {
        const auto found = distance.find(signer);
        return found == distance.end() ? distance.size() : found->second;
    };
    const auto farthest =
        std::max_element(successions_.begin(), successions_.end(),
                         [&](const auto& a, const auto& b) { return of(a.first) < of(b.first); });
    if (of(farthest->first) <= of(key)) return false;
    successions_.erase(farthest);
    return true;
}

bool NetworkKey::keep(const Succession& succession, const SignedBytes& signed_bytes) {
    // The followed one always counts.
    const bool room = succession.next == followed_ ||
                      (successions_.count(succession.network_key) < kMaxSuccessionsOfOneKey &&
                       make_room(succession.network_key));
    if (!room) return false;
    successions_.emplace(succession.network_key, Known{succession, signed_bytes});
    return true;
}

Result<bool> NetworkKey::take(const SignedBytes& signed_bytes) {
    const auto read = read_succession(signed_bytes);
    if (!read) return tl::unexpected(read.error());
    // The signature of a key that nobody named would show nothing.
    if (!is_named(read->network_key)) return false;
    if (knows(read->network_key, read->next)) return false;
    const auto succession = verify_succession(context_.config.network, signed_bytes);
    if (!succession) return tl::unexpected(succession.error());
    if (!keep(*succession, signed_bytes)) return false;
    writes_.persist({PutSuccession{signed_bytes}}, after_write::SuccessionStored{signed_bytes});
    const auto before = current();
    decide();
    if (undecided_ && before)
        context_.note(EventKind::network_key_disputed, succession->next, {},
                      "the network's key named two successors, and neither counts until the operator chooses "
                      "one (unlearnctl network follow)");
    else if (current() && current() != before)
        context_.note(EventKind::network_key_changed, *current());
    return true;
}

void NetworkKey::follow(const NodeId& key) {
    if (!exists() || followed_ == key) return;
    followed_ = key;
    writes_.persist({PutFollowedKey{key}}, after_write::Nothing{});
    const auto before = current();
    decide();
    if (current() && current() != before) context_.note(EventKind::network_key_changed, *current());
}

// ---------------------------------------------------------------- memberships

std::optional<MembershipTerms> NetworkKey::terms_of(const NodeId& member,
                                                    const std::optional<SignedBytes>& membership) const {
    if (!membership) return std::nullopt;
    if (const auto read = read_term_membership(*membership)) {
        const bool known = std::find(chain_.begin(), chain_.end(), read->network_key) != chain_.end();
        if (!known || read->member != member || !verify_term_membership(context_.config.network, *membership))
            return std::nullopt;
        return MembershipTerms{read->network_key, member, read->number, read->not_before, read->not_after};
    }
    for (auto key = chain_.rbegin(); key != chain_.rend(); ++key) {
        const auto read = verify_membership(*key, context_.config.network, *membership);
        if (read && read->member == member) return MembershipTerms{*key, member, 0, {}, std::nullopt};
    }
    return std::nullopt;
}

std::optional<WallTime> NetworkKey::end_of_memberships_by(const NodeId& key) const {
    const auto end = ends_.find(key);
    return end == ends_.end() ? std::nullopt : std::optional(end->second);
}

std::vector<SignedBytes> NetworkKey::successions() const {
    std::vector<SignedBytes> out;
    for (const auto& [key, known] : successions_)
        out.push_back(known.signed_bytes);
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
    return out;
}

}  // namespace unlearn::protocol
