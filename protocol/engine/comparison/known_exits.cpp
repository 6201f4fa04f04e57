#include "protocol/engine/comparison/known_exits.hpp"

#include <limits>

namespace unlearn::protocol {

const ExitSet& KnownExits::set() {
    for (const auto& owner : others_.take_new_durable())
        set_.insert(owner);
    if (own_exit_.announced_notice() != nullptr) set_.insert(ExitedId{context_.id().bytes()});
    return set_;
}

bool KnownExits::contains(const ExitedId& owner) const {
    return others_.contains(owner) || (owner.value == context_.id().bytes() && own_exit_.begun());
}

std::size_t KnownExits::room_for_strangers(const NodeId& peer) const {
    if (context_.config.network_key) return std::numeric_limits<std::size_t>::max();
    return static_cast<std::size_t>(sessions_.allowances_of(peer).introductions.left(context_.now.steady));
}

void KnownExits::send_notices(SessionId id, Session& session, const std::vector<ExitedId>& owners,
                              const MaySend& may_send) {
    for (const auto& owner : owners) {
        const bool is_own = owner.value == context_.id().bytes();
        const SignedBytes* notice = is_own ? own_exit_.announced_notice() : others_.durable_notice_of(owner);
        if (notice == nullptr) continue;
        if (!may_send(Kind::exit, notice->bytes.size() + Signature::kSize)) return;
        sessions_.send(id, session, Exit{*notice});
        if (session.version < version_of(Kind::holders)) continue;
        for (const auto& list : others_.lists_of(owner))
            if (may_send(Kind::holders, list.bytes.size() + Signature::kSize))
                sessions_.send(id, session, Holders{list});
    }
}

}  // namespace unlearn::protocol
