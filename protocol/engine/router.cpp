#include "protocol/engine/router.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace unlearn::protocol {

Engine::Router::Router(const Identity& identity, EngineConfig config, LoadedState state)
    : context{identity, std::move(config), {}, {}, {}},
      held(context, writes, sessions, erasures, [this](const NodeId& owner) { return facts_of(owner); }) {
    for (const auto& stored : state.peers)
        peers.add(stored.peer, stored.endpoint, PeerSource::added, stored.former);
    for (const auto& neighbour : context.config.neighbours)
        // A neighbour that was removed while the node ran stays removed until it is added again.
        if (neighbour.id != context.id() && !peers.is_former(neighbour.id))
            peers.add(neighbour.id, neighbour.endpoint, PeerSource::config);
    exits.leave_out([this](const NodeId& peer) { return members.may_only_leave(peer); });
    network_key.load(state);
    members.load(state);
    use_newest_membership(state);
    own_state.load(state);
    // Tombstones and revocations are loaded before anything that they forbid.
    exits.load(state);
    expulsions.load(state);
    own_seed.load(state);
    own_exit.load(state);
    held.load(state);
}

std::vector<Effect> Engine::Router::step(const Input& input, Now now) {
    context.now = now;
    context.effects.clear();
    std::visit([this](const auto& value) { on(value); }, input);
    writes.forget_unwanted();
    for (const SessionId id : sessions.take_ended()) {
        own_seed.forget(id);
        comparison.forget(id);
        gossip.forget(id);
    }
    return std::move(context.effects);
}

AdmissionFacts Engine::Router::facts_of(const NodeId& owner) const {
    AdmissionFacts facts;
    facts.owner_is_self = owner == context.id();
    facts.owner_exited = exits.contains(owner);
    facts.owner_expelled = expulsions.contains(owner);
    facts.we_are_exiting = own_exit.begun();
    facts.no_seeds = members.why_no_seeds(owner);
    facts.too_many_exits = exits.size() >= kMaxTombstones;
    facts.removed = peers.is_former(owner) || erasures.is_removing(owner);
    facts.unvouched = comparison.keeps_out(owner);
    facts.copied = own_state.is_copied();
    return facts;
}

bool Engine::Router::is_wanted(const AfterWrite& then) const {
    if (const auto* install = std::get_if<after_write::SeedStored>(&then))
        return held.ask_gate(install->owner, install->version, AdmissionPoint::install) ==
               Admission::admitted;
    if (std::holds_alternative<after_write::OwnSeedStored>(then) ||
        std::holds_alternative<after_write::OwnLeaseStored>(then))
        return !own_exit.begun();
    return true;
}

// ---------------------------------------------------------------- start and time

void Engine::Router::on(const Start&) {
    peers.start();
    comparison.start();
    own_state.start();
    if (own_seed.skip_versions_after_restore()) own_state.set_restored();
    for (const NodeId& owner : exits.owners())
        exits.readmit(owner);
    peers.allow();
    static_cast<void>(members.refresh());  // nobody is connected yet
    // Continue what a stop interrupted: erasures for exited owners and removed peers, then our own exit.
    exits.start();
    expulsions.start();
    for (const auto& [id, peer] : peers.all())
        if (peer.former && erasures.may_be_on_disk(id) && !exits.contains(id))
            writes.persist({EraseHeldSeed{id}}, after_write::RemovedSeedErased{id});
    held.start();
    erase_seeds_without_place();
    own_exit.start();
    own_seed.renew_lease();
    sessions.dial_all();
}

void Engine::Router::on(const Tick&) {
    writes.tick();
    sessions.tick();
    held.tick_downloads();
    tick_each_second();
    comparison.tick();
    gossip.tick();
    own_exit.tick();
}

void Engine::Router::tick_each_second() {
    if (context.now.steady < next_second_) return;
    next_second_ = context.now.steady + std::chrono::seconds{1};
    own_state.tick();
    exits.store_lists();
    give_out_places();  // a membership may have ended
    held.refresh_all();
    own_seed.renew_lease_when_due();
}

// ---------------------------------------------------------------- peers

/// Makes a peer known. A node that was a stranger until now may have left without our knowing.
void Engine::Router::know_peer(const NodeId& peer, std::optional<std::string> endpoint, PeerSource source) {
    if (!comparison.is_known_owner(peer)) comparison.compare_again();
    peers.add(peer, std::move(endpoint), source);
}

void Engine::Router::on(const AddNeighbour& add) {
    const NodeId& peer = add.neighbour.id;
    if (peer == context.id()) return;
    know_peer(peer, add.neighbour.endpoint, add.remember ? PeerSource::added : PeerSource::config);
    if (add.remember) writes.persist({PutPeer{peer, add.neighbour.endpoint, false}}, after_write::Nothing{});
    sessions.unblock(peers.find(peer)->key);
    peers.allow();
    give_out_places();
    if (peers.started()) sessions.dial(peer);
}

void Engine::Router::on(const RemoveNeighbour& remove) {
    const NodeId& peer = remove.peer;
    if (!peers.is_neighbour(peer)) return;
    peers.set_former(peer, true);
    std::vector<StoreOp> ops{PutPeer{peer, peers.find(peer)->endpoint, true}};
    sessions.close_all(peer);
    sessions.forget_redial(peer);
    context.emit(HangUp{peer});
    peers.allow();
    writes.persist(std::move(ops), after_write::Nothing{});
    if (!is_gone(peer) && !own_exit.begun()) erase_seed_of(peer);  // otherwise it is being erased already
    give_out_places();
}

void Engine::Router::erase_seed_of(const NodeId& owner) {
    const SeedVersion version = held.stop_using(owner);
    erasures.begin_removal(owner);
    if (version != SeedVersion{0}) return erasures.wipe(owner, version);
    if (!erasures.is_wiping(owner))
        writes.persist({EraseHeldSeed{owner}}, after_write::RemovedSeedErased{owner});
}

// ---------------------------------------------------------------- messages

void Engine::Router::on(const Malformed& bad) {
    sessions.drop(bad.session, bad.key, Error{ErrorCode::malformed, bad.reason});
}

void Engine::Router::on(const Received& received) {
    if (sessions.is_blocked(received.key)) {
        ++context.counters.messages_ignored;
        return;
    }
    auto envelope = decode(received.frames);
    if (!envelope) return sessions.drop(received.session, received.key, envelope.error());
    if (const auto* hello = std::get_if<Hello>(&envelope->message))
        return take_hello(received, envelope->sequence, *hello);
    Session* session = sessions.receive(received, *envelope);
    if (session == nullptr) return;
    if (const auto* nack = std::get_if<Nack>(&envelope->message))
        return take_nack(received.session, *session, *nack);
    if (!session->established) {
        ++context.counters.messages_ignored;
        return;
    }
    // The key is copied because the session may end while the message is handled.
    const CurvePublicKey key = session->key;
    if (const auto taken = take(received.session, *session, std::move(envelope->message)); !taken)
        sessions.drop(received.session, key, taken.error());
}

namespace {

/// True for the messages that a node needs to leave.
bool serves_leaving(const Message& message) {
    return std::holds_alternative<Bye>(message) || std::holds_alternative<Ping>(message) ||
           std::holds_alternative<Pong>(message) || std::holds_alternative<Exit>(message) ||
           std::holds_alternative<ReceiptMessage>(message) || std::holds_alternative<StateMessage>(message) ||
           std::holds_alternative<Holders>(message);
}

}  // namespace

Result<void> Engine::Router::take(SessionId id, Session& session, Message message) {
    struct Visitor {
        Router& router;
        SessionId id;
        Session& session;
        Result<void> operator()(const Hello&) const { return {}; }
        Result<void> operator()(const Nack&) const { return {}; }
        Result<void> operator()(const Bye&) const {
            router.sessions.take_bye(id);
            return {};
        }
        Result<void> operator()(const Ping& ping) const {
            router.sessions.send(id, session, Pong{ping.token});
            return {};
        }
        Result<void> operator()(const Pong&) const { return {}; }
        Result<void> operator()(const Have& have) const {
            // The gate would refuse the seed, but only after the work of two signatures.
            if (router.members.exchanges(session.peer)) return router.held.take_have(id, session, have);
            ++router.context.counters.messages_ignored;
            return {};
        }
        Result<void> operator()(const Get& get) const { return router.own_seed.take_get(id, session, get); }
        Result<void> operator()(const Chunk& chunk) const {
            return router.held.take_chunk(id, session, chunk);
        }
        Result<void> operator()(const Exit& exit) const { return router.take_exit(session, exit); }
        Result<void> operator()(const ReceiptMessage& receipt) const {
            return router.own_exit.take_receipt(session, receipt);
        }
        Result<void> operator()(const DigestMessage& digest) const {
            router.comparison.take_digest(id, session, digest);
            return {};
        }
        Result<void> operator()(const Delta& delta) const {
            router.comparison.take_delta(id, session, delta);
            return {};
        }
        Result<void> operator()(const StateMessage& state) const {
            return router.take_state(id, session, state);
        }
        Result<void> operator()(const Holders& holders) const {
            return router.take_holders(session, holders);
        }
        Result<void> operator()(const ExitQuery& query) const {
            router.comparison.take_query(id, session, query);
            return {};
        }
        Result<void> operator()(const ExitAnswer& answer) const {
            return router.comparison.take_answer(id, session, answer);
        }
        Result<void> operator()(const NetworkStatement& statement) const {
            return router.take_network_statement(statement);
        }
        Result<void> operator()(const NetworkDigest& digest) const {
            return router.gossip.take(id, session, digest);
        }
    };
    if (members.may_only_leave(session.peer) && !serves_leaving(message)) {
        ++context.counters.messages_ignored;
        return {};
    }
    return std::visit(Visitor{*this, id, session}, message);
}

/// Counts the peers that have not left and are not expelled: those stay known, and must not use up the room
/// of others.
std::size_t Engine::Router::members_that_stay() const {
    const auto& all = peers.all();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [this](const auto& known) { return !is_gone(known.first); }));
}

void Engine::Router::take_hello(const Received& received, std::uint64_t sequence, const Hello& hello) {
    const auto refuse = [&](const Sessions::Refusal& refusal) {
        if (refusal.nack) sessions.send_once(received.session, Nack{*refusal.nack, 0});
        sessions.drop(received.session, received.key, refusal.why);
    };
    if (const auto refusal = sessions.refusal_of(hello, received.key)) return refuse(*refusal);
    if (!may_connect(hello))
        return refuse({NackReason::not_authorised,
                       Error{ErrorCode::not_authorised, "hello of node " + hello.sender.short_text()}});
    if (Session* session = sessions.meet(received.session, received.key, sequence, hello))
        establish(received.session, *session);
}

void Engine::Router::establish(SessionId id, Session& session) {
    sessions.establish(id, session);
    own_state.send_to(id, session);
    own_seed.announce_to(id, session);
    held.resume_download(id, session);
    own_exit.send_notice_to(id, session);
    exits.greet(id, session);
    own_exit.send_left_receipt_to(id, session);
    gossip.show_expelled(id, session);
    if (members.may_only_leave(session.peer)) return;
    gossip.begin(id, session);
    // The comparison brings the exits that either side missed while the other was away. A peer of version 2
    // states its state first.
    if (session.version < 2 || session.state_heard) comparison.begin(id, session);
}

void Engine::Router::take_nack(SessionId id, Session& session, const Nack& nack) {
    switch (nack.reason) {
        case NackReason::hello_first:
            return sessions.take_hello_first(id, session);
        case NackReason::no_such_version:
            return held.stop_download(session.peer, nack.about);
        case NackReason::wrong_network:
        case NackReason::wrong_version:
        case NackReason::not_authorised:
            return sessions.drop(
                id, session.key,
                Error{ErrorCode::not_authorised, "node " + session.peer.short_text() + " refuses us"});
    }
}

Result<void> Engine::Router::take_exit(const Session& session, const Exit& exit) {
    // Every neighbour passes an exit on. A copy of a notice that was verified before is not verified again.
    const auto named = owner_named_in(exit.notice);
    if (named && *named != session.peer && members.may_only_leave(session.peer)) {
        ++context.counters.messages_ignored;
        return {};
    }
    if (named && exits.is_known(*named, exit.notice)) {
        exits.answer_again(*named, session.peer);
        return {};
    }
    const auto notice = verify_notice(context.config.network, exit.notice);
    if (!notice) return tl::unexpected(notice.error());
    const NodeId& owner = notice->owner;
    if (owner == context.id()) {
        own_exit.meet(exit.notice, session.peer);
        return {};
    }
    if (exits.contains(owner)) {
        exits.answer_again(owner, session.peer);
        return {};
    }
    // The exit of an unknown owner is kept, too, but a peer must not fill our disk with such exits.
    if (owner == session.peer || is_known(owner) || introduces(session.peer, *notice)) {
        exits.learn(*notice, exit.notice, session.peer);
        give_out_places();
    } else {
        ++context.counters.exits_put_off;
    }
    return {};
}

Result<void> Engine::Router::take_state(SessionId id, Session& session, const StateMessage& state) {
    const bool first = !std::exchange(session.state_heard, true);
    const auto finding = own_state.take(id, session, state);
    if (!finding) return tl::unexpected(finding.error());
    // What a neighbour says of exits counts only with its state, so the comparison comes after it.
    if (first && !members.may_only_leave(session.peer)) comparison.begin(id, session);
    if (*finding == OwnState::Finding::old_copy) {
        own_seed.go_on_above_others();
        comparison.doubt();
    }
    if (*finding != OwnState::Finding::nothing_new) held.refresh_all();
    return {};
}

void Engine::Router::on(const ClaimState&) {
    // An old copy went on above others when it was found out.
    if (own_state.is_copied()) own_seed.go_on_above_others();
    own_state.claim();
    comparison.settle();
    held.refresh_all();
}

Result<void> Engine::Router::take_holders(const Session& session, const Holders& holders) {
    const auto list = verify_holder_list(context.config.network, holders.list);
    if (!list) return tl::unexpected(list.error());
    if (list->owner == context.id())
        own_exit.take_list(holders.list, session.peer);
    else
        exits.take_list(*list, holders.list, session.peer);
    return {};
}

void Engine::Router::on(const SubmitNotice& submit) {
    const auto notice = verify_notice(context.config.network, submit.notice);
    if (!notice)
        return context.note(EventKind::peer_dropped, {}, {}, "submitted notice: " + notice.error().text());
    if (notice->owner == context.id())
        own_exit.meet(submit.notice, context.id());
    else if (!exits.contains(notice->owner))
        exits.learn(*notice, submit.notice, std::nullopt);
    give_out_places();
}

// ---------------------------------------------------------------- answers to effects

void Engine::Router::on(const SeedWiped& wiped) {
    const NodeId& owner = wiped.owner;
    if (!erasures.finish_wipe(owner)) return;
    own_exit.continue_erasing();
    if (exits.contains(owner)) {
        if (exits.advance(owner)) own_exit.continue_retiring();
        return;
    }
    expulsions.advance(owner);
    if (erasures.is_removing(owner)) {
        writes.persist({EraseHeldSeed{owner}}, after_write::RemovedSeedErased{owner});
    }
}

void Engine::Router::on(const Stored& done) {
    if (const auto then = writes.take(done)) follow(*then);
}

void Engine::Router::on(const StoreFailed& failed) {
    const auto never = writes.fail(failed);
    if (!never) return;
    if (const auto* seed = std::get_if<after_write::SeedStored>(&*never))
        held.give_up(*seed, failed.reason);
    else if (const auto* lease = std::get_if<after_write::HeldLeaseStored>(&*never))
        held.give_up(*lease, failed.reason);
    else if (const auto* state = std::get_if<after_write::PeerStateStored>(&*never))
        own_state.give_up(*state, failed.reason);
    else
        context.note(EventKind::store_refused, {}, {}, failed.reason);
}

void Engine::Router::follow(const AfterWrite& then) {
    struct Visitor {
        Router& router;
        void operator()(const after_write::Nothing&) const {}
        void operator()(const after_write::RecipientStored& stored) const { router.own_seed.on(stored); }
        void operator()(const after_write::OwnSeedStored& stored) const { router.own_seed.on(stored); }
        void operator()(const after_write::OwnLeaseStored& stored) const { router.own_seed.on(stored); }
        void operator()(const after_write::SeedStored& stored) const { router.held.on(stored); }
        void operator()(const after_write::HeldLeaseStored& stored) const { router.held.on(stored); }
        void operator()(const after_write::TombstoneStored& stored) const {
            if (router.exits.on(stored)) router.own_exit.continue_retiring();
        }
        void operator()(const after_write::SeedErased& stored) const {
            if (router.exits.on(stored)) router.own_exit.continue_retiring();
        }
        void operator()(const after_write::RemovedSeedErased& stored) const {
            router.erasures.end_removal(stored.owner);
            if (!router.held.has(stored.owner)) router.erasures.erased_from_disk(stored.owner);
        }
        void operator()(const after_write::ExitStored& stored) const { router.own_exit.on(stored); }
        void operator()(const after_write::AllErased& stored) const { router.own_exit.on(stored); }
        void operator()(const after_write::StateStored& stored) const { router.own_state.on(stored); }
        void operator()(const after_write::PeerStateStored& stored) const { router.own_state.on(stored); }
        void operator()(const after_write::HolderListStored& stored) const { router.own_exit.on(stored); }
        void operator()(const after_write::PeerListStored& stored) const { router.exits.on(stored); }
        void operator()(const after_write::AskedStored& stored) const { router.held.on(stored); }
        void operator()(const after_write::ReceiptStored& stored) const { router.own_exit.on(stored); }
        void operator()(const after_write::RetirementStored& stored) const { router.own_exit.on(stored); }
        void operator()(const after_write::SuccessionStored& stored) const {
            router.gossip.pass_on(NetworkStatementKind::succession, stored.succession);
            // A neighbour may know what the new key has signed.
            router.gossip.begin_with_all();
        }
        void operator()(const after_write::RevocationStored& stored) const {
            router.expulsions.on(stored);
            if (const auto* revocation = router.expulsions.revocation_of(stored.member))
                router.gossip.pass_on(NetworkStatementKind::revocation, *revocation);
        }
        void operator()(const after_write::ExpelledSeedErased& stored) const { router.expulsions.on(stored); }
        void operator()(const after_write::OwnMembershipStored& stored) const {
            router.context.config.membership = stored.membership;
            for (const auto& [peer, id] : router.sessions.all_established())
                router.sessions.say_hello(id, router.sessions.at(id));
        }
    };
    std::visit(Visitor{*this}, then);
}

}  // namespace unlearn::protocol
