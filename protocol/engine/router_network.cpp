#include "protocol/engine/router.hpp"

// What the router decides about a network with a key: who may connect, who exchanges seeds, and what the key
// has signed.
namespace unlearn::protocol {

// ---------------------------------------------------------------- who may connect

bool Engine::Router::may_connect(const Hello& hello) {
    const Peer* known = peers.find(hello.sender);
    if (known != nullptr && (known->former || known->source != PeerSource::membership)) return !known->former;
    if (!members.admit(hello.sender, hello.membership) && !may_come_to_leave(hello)) return false;
    if (known == nullptr) {
        if (members_that_stay() >= kMaxMembersFromHello) return false;
        know_peer(hello.sender, std::nullopt, PeerSource::membership);
        peers.allow();
    }
    if (members.take_changed()) give_out_places();
    return true;
}

/// A member may always deliver its exit and collect receipts, also when it is expelled or its membership has
/// ended. What a replaced key signed lets in only those that are known here, because its thief may sign more.
bool Engine::Router::may_come_to_leave(const Hello& hello) const {
    const auto terms = network_key.terms_of(hello.sender, hello.membership);
    return terms && (terms->network_key == network_key.current() || is_gone(hello.sender) ||
                     comparison.is_known_owner(hello.sender));
}

/// True for an owner whose exit counts whoever brings it.
bool Engine::Router::is_known(const NodeId& owner) const {
    return comparison.is_known_owner(owner) || members.is_member(owner) || expulsions.contains(owner);
}

/// Says whether a peer may introduce the exit of an owner that nobody here heard of. A membership shows that
/// the owner is a member. The thief of a replaced key can sign any number of them, so these are limited as in
/// a network without a key.
bool Engine::Router::introduces(const NodeId& peer, const ExitNotice& notice) {
    if (network_key.exists()) {
        const auto terms = network_key.terms_of(notice.owner, notice.membership);
        if (!terms) return false;
        if (terms->network_key == network_key.current()) return true;
    }
    return sessions.allowances_of(peer).introductions.take(1, context.now.steady);
}

// ---------------------------------------------------------------- places

void Engine::Router::give_out_places() {
    if (!peers.started()) return;
    const auto changes = members.refresh();
    for (const NodeId& owner : changes.lost) {
        if (is_gone(owner) || own_exit.begun() || peers.is_former(owner)) continue;  // erased already
        if (held.has(owner) || erasures.may_be_on_disk(owner))
            erase_seed_of(owner);
        else
            held.stop_using(owner);
    }
    for (const NodeId& owner : changes.gained) {
        Session* session = sessions.established(owner);
        if (session == nullptr) continue;
        const SessionId id = sessions.id_of(owner);
        own_seed.announce_to(id, *session);
        sessions.say_hello(id, *session);  // its answer comes with an announcement of its seed
    }
}

/// Erases seeds of owners that have lost their place since the last run, and seeds that have grown too large
/// for a smaller share.
void Engine::Router::erase_seeds_without_place() {
    if (own_exit.begun()) return;
    const auto on_disk = erasures.all_on_disk();
    for (const NodeId& owner : on_disk)
        if (!is_gone(owner) && !peers.is_former(owner) &&
            (!members.exchanges(owner) || held.too_large(owner)))
            erase_seed_of(owner);
}

// ---------------------------------------------------------------- what the key has signed

Result<void> Engine::Router::take_network_statement(const NetworkStatement& statement) {
    const auto taken = statement.kind == NetworkStatementKind::succession
                           ? network_key.take(statement.statement)
                           : expulsions.take(statement.statement);
    if (!taken) return tl::unexpected(taken.error());
    if (*taken)
        give_out_places();
    else
        ++context.counters.messages_ignored;
    return {};
}

void Engine::Router::on(const SubmitNetworkStatement& submit) {
    if (!network_key.exists()) return;
    if (const auto taken = take_network_statement({submit.kind, submit.statement}); !taken)
        context.note(EventKind::peer_dropped, {}, {}, "submitted statement: " + taken.error().text());
}

void Engine::Router::on(const FollowNetworkKey& follow) {
    network_key.follow(follow.key);
    give_out_places();
    gossip.begin_with_all();
}

/// Takes the membership of the state when it is newer than the one that `init` made.
void Engine::Router::use_newest_membership(const LoadedState& state) {
    if (!state.own_membership) return;
    if (network_key.terms_of(context.id(), state.own_membership->membership))
        context.config.membership = state.own_membership->membership;
}

void Engine::Router::on(const RenewMembership& renew) {
    const auto terms = network_key.terms_of(context.id(), renew.membership);
    if (!terms || renew.membership == context.config.membership) return;
    const auto before = network_key.terms_of(context.id(), context.config.membership);
    if (before && before->network_key == terms->network_key && terms->number <= before->number) return;
    writes.persist({PutOwnMembership{renew.membership}}, after_write::OwnMembershipStored{renew.membership});
}

}  // namespace unlearn::protocol
