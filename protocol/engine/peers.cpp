#include "protocol/engine/peers.hpp"

#include <utility>

namespace unlearn::protocol {

void Peers::add(const NodeId& peer, std::optional<std::string> endpoint, PeerSource source, bool former) {
    const Peer* known = find(peer);
    const CurvePublicKey key = known == nullptr ? peer.curve_key() : known->key;
    const bool is_new = known == nullptr || (known->former && !former);
    const std::uint64_t added = is_new ? ++last_added_ : known->added;
    peers_.insert_or_assign(peer, Peer{key, std::move(endpoint), source, former, added});
}

const Peer* Peers::find(const NodeId& peer) const {
    const auto it = peers_.find(peer);
    return it == peers_.end() ? nullptr : &it->second;
}

bool Peers::is_neighbour(const NodeId& peer) const {
    const Peer* known = find(peer);
    return known != nullptr && !known->former;
}

bool Peers::is_former(const NodeId& peer) const {
    const Peer* known = find(peer);
    return known != nullptr && known->former;
}

void Peers::allow() const {
    if (!started_) return;
    Allow allow;
    for (const auto& [id, peer] : peers_)
        if (!peer.former) allow.keys.push_back(peer.key);
    context_.emit(std::move(allow));
}

}  // namespace unlearn::protocol
