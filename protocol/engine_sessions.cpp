#include <algorithm>

#include "protocol/engine.hpp"
#include "protocol/limits.hpp"

namespace unlearn::protocol {

bool Engine::is_neighbour(const NodeId& peer) const {
    const auto it = peers_.find(peer);
    return it != peers_.end() && !it->second.former;
}

bool Engine::shows_membership(const NodeId& member, const std::optional<SignedBytes>& signed_by) const {
    if (!config_.network_key || !signed_by) return false;
    const auto membership = verify_membership(*config_.network_key, config_.network, *signed_by);
    return membership && membership->member == member;
}

void Engine::know_peer(const NodeId& peer, std::optional<std::string> endpoint, PeerSource source,
                       bool former) {
    if (!is_known_owner(peer)) doubt_vouchers();
    const auto known = peers_.find(peer);
    const CurvePublicKey key = known == peers_.end() ? peer.curve_key() : known->second.key;
    peers_.insert_or_assign(peer, Peer{key, std::move(endpoint), source, former});
}

void Engine::allow_neighbours() {
    if (!started_) return;
    Allow allow;
    for (const auto& [peer, info] : peers_)
        if (!info.former) allow.keys.push_back(info.key);
    effects_.push_back(std::move(allow));
}

void Engine::on(const AddNeighbour& add) {
    const NodeId& peer = add.neighbour.id;
    if (peer == id()) return;
    know_peer(peer, add.neighbour.endpoint, add.remember ? PeerSource::added : PeerSource::config);
    if (add.remember) persist({PutPeer{peer, add.neighbour.endpoint, false}}, ThenNothing{});
    blocked_.erase(peers_.at(peer).key);
    allow_neighbours();
    if (started_) redial(peer);
}

void Engine::on(const RemoveNeighbour& remove) {
    const NodeId& peer = remove.peer;
    const auto it = peers_.find(peer);
    if (it == peers_.end() || it->second.former) return;
    it->second.former = true;
    std::vector<StoreOp> ops{PutPeer{peer, it->second.endpoint, true}};
    std::vector<SessionId> over;
    for (const auto& [session_id, session] : sessions_)
        if (session.peer == peer) over.push_back(session_id);
    for (const SessionId session_id : over) {
        effects_.push_back(CloseSession{session_id});
        remove_session(session_id);
    }
    redial_at_.erase(peer);
    effects_.push_back(HangUp{peer});
    allow_neighbours();
    persist(std::move(ops), ThenNothing{});
    if (exits_.contains(peer) || own_exit_) return;  // its seed is on its way out already
    const SeedVersion version = stop_using(peer);
    removing_.insert(peer);
    if (version != SeedVersion{0}) return begin_wipe(peer, version);
    if (!wiping_.contains(peer)) persist({EraseHeldSeed{peer}}, ThenRemoved{peer});
}

void Engine::on(const SayBye&) {
    for (auto& [session_id, session] : sessions_)
        if (session.established) send(session_id, session, Bye{});
}

void Engine::on(const LinkUp& link) {
    if (!is_neighbour(link.peer) || sessions_.size() >= kMaxSessions) {
        effects_.push_back(CloseSession{link.session});
        return;
    }
    Session session;
    session.peer = link.peer;
    session.key = peers_.at(link.peer).key;
    session.dialled = true;
    session.last_heard = now_.steady;
    remove_session(link.session);
    const auto it = sessions_.emplace(link.session, std::move(session)).first;
    send_hello(link.session, it->second, false);
}

void Engine::on(const LinkDown& link) {
    remove_session(link.session);
}

void Engine::on(const Malformed& bad) {
    drop_peer(bad.session, bad.key, Error{ErrorCode::malformed, bad.reason});
}

void Engine::on(const Received& received) {
    if (is_blocked(received.key)) {
        ++counters_.messages_ignored;
        return;
    }
    double bytes = 0;
    for (const auto& frame : received.frames)
        bytes += static_cast<double>(frame.size());
    auto envelope = decode(received.frames);
    if (!envelope) return drop_peer(received.session, received.key, envelope.error());

    if (const auto* hello = std::get_if<Hello>(&envelope->message))
        return handle_hello(received.session, received.key, envelope->sequence, *hello);

    const auto it = sessions_.find(received.session);
    if (it == sessions_.end()) {
        // Never answer a Nack with a Nack, or two nodes that both forgot would never stop.
        if (!std::holds_alternative<Nack>(envelope->message))
            send_once(received.session, Nack{NackReason::hello_first, 0});
        ++counters_.messages_ignored;
        return;
    }
    Session& session = it->second;
    if (session.key != received.key)
        return drop_peer(received.session, received.key,
                         Error{ErrorCode::bad_identity, "key changed within a session"});
    // A Nack from somebody who does not know the session cannot be numbered: it has sequence 0.
    const bool unnumbered = envelope->sequence == 0 && std::holds_alternative<Nack>(envelope->message);
    if (!unnumbered) {
        const auto counted = count_in(session, lane_of(kind_of(envelope->message)), envelope->sequence);
        if (!counted) return drop_peer(received.session, received.key, counted.error());
    }
    session.last_heard = now_.steady;
    session.suspect = false;
    auto& allowances = allowances_of(session.peer);
    if (!allowances.frames.take(1, now_.steady) || !allowances.bytes.take(bytes, now_.steady))
        return drop_peer(received.session, received.key, Error{ErrorCode::too_much, "messages or bytes"});
    receive(received.session, session, std::move(envelope->message));
}

void Engine::receive(SessionId session_id, Session& session, Message message) {
    if (const auto* nack = std::get_if<Nack>(&message)) return handle_nack(session_id, session, *nack);
    if (!session.established) {
        ++counters_.messages_ignored;
        return;
    }
    struct Visitor {
        Engine& engine;
        SessionId id;
        Session& session;
        void operator()(const Hello&) const {}
        void operator()(const Nack&) const {}
        void operator()(const Bye&) const {
            const bool dialled = session.dialled;
            const NodeId peer = session.peer;
            engine.effects_.push_back(CloseSession{id});
            engine.remove_session(id);
            if (dialled) engine.redial_at_[peer] = engine.now_.steady + kHelloRetry;
        }
        void operator()(const Ping& ping) const { engine.send(id, session, Pong{ping.token}); }
        void operator()(const Pong&) const {}
        void operator()(const Have& have) const { engine.handle_have(id, session, have); }
        void operator()(const Get& get) const { engine.handle_get(id, session, get); }
        void operator()(const Chunk& chunk) const { engine.handle_chunk(id, session, chunk); }
        void operator()(const Exit& exit) const { engine.handle_exit(id, session, exit); }
        void operator()(const ReceiptMessage& receipt) const { engine.handle_receipt(id, session, receipt); }
        void operator()(const DigestMessage& digest) const { engine.handle_digest(id, session, digest); }
        void operator()(const Delta& delta) const { engine.handle_delta(id, session, delta); }
    };
    std::visit(Visitor{*this, session_id, session}, message);
}

void Engine::handle_hello(SessionId session_id, const CurvePublicKey& key, std::uint64_t sequence,
                          const Hello& hello) {
    const auto refuse = [&](NackReason reason, Error why) {
        send_once(session_id, Nack{reason, 0});
        drop_peer(session_id, key, why);
    };
    const auto sender = peers_.find(hello.sender);
    const auto sender_key = sender == peers_.end() ? hello.sender.curve_key() : sender->second.key;
    if (hello.sender == id() || sender_key != key)
        return drop_peer(session_id, key,
                         Error{ErrorCode::bad_identity, "hello names another node than its key"});
    if (hello.network != config_.network)
        return refuse(NackReason::wrong_network,
                      Error{ErrorCode::wrong_network, "hello of node " + hello.sender.short_text()});
    if (hello.oldest_version > kProtocolVersion || hello.newest_version < kProtocolVersion)
        return refuse(NackReason::wrong_version,
                      Error{ErrorCode::wrong_version, "hello of node " + hello.sender.short_text()});
    if (!is_neighbour(hello.sender)) {
        const bool removed = sender != peers_.end() && sender->second.former;
        const bool member = !removed && shows_membership(hello.sender, hello.membership) &&
                            peers_.size() < kMaxMembersFromHello;
        if (member) {
            know_peer(hello.sender, std::nullopt, PeerSource::membership);
            allow_neighbours();
        }
    }
    if (!is_neighbour(hello.sender))
        return refuse(NackReason::not_authorised,
                      Error{ErrorCode::not_authorised, "hello of node " + hello.sender.short_text()});

    auto it = sessions_.find(session_id);
    if (it == sessions_.end()) {
        if (sessions_.size() >= kMaxSessions) {
            effects_.push_back(CloseSession{session_id});
            return;
        }
        Session session;
        session.peer = hello.sender;
        session.key = key;
        it = sessions_.emplace(session_id, std::move(session)).first;
    }
    Session& session = it->second;
    if (session.peer != hello.sender)
        return drop_peer(session_id, key,
                         Error{ErrorCode::bad_identity, "hello names another node than before"});
    if (const auto counted = count_in(session, Lane::urgent, sequence); !counted)
        return drop_peer(session_id, key, counted.error());
    session.last_heard = now_.steady;
    if (!hello.answer) send_hello(session_id, session, true);
    establish(session_id, session);
}

Result<void> Engine::count_in(Session& session, Lane lane, std::uint64_t sequence) const {
    auto& last = session.last_in[static_cast<std::size_t>(lane)];
    if (sequence <= last) return fail(ErrorCode::out_of_order, "sequence " + std::to_string(sequence));
    last = sequence;
    return {};
}

void Engine::establish(SessionId session_id, Session& session) {
    session.established = true;
    const auto known = session_of_.find(session.peer);
    const bool was_up = known != session_of_.end();
    if (was_up && known->second != session_id) {
        // The newest session of a node wins.
        const SessionId old = known->second;
        if (const auto replaced = sessions_.find(old); replaced != sessions_.end())
            count_replacement(session.peer, replaced->second);
        sessions_.erase(old);
        effects_.push_back(CloseSession{old});
    }
    session_of_[session.peer] = session_id;
    // The peer came by itself: one connection is enough.
    if (dialled_out_of_turn_.erase(session.peer) > 0 && !session.dialled)
        effects_.push_back(HangUp{session.peer});
    blocked_.erase(session.key);
    if (!was_up) note(EventKind::peer_up, session.peer);

    announce_to(session_id, session);
    if (const auto fetch = downloads_.find(session.peer); fetch != downloads_.end()) {
        fetch->second.fetch.restart();
        ask_for_more(session_id, session, fetch->second.fetch);
    }
    if (own_exit_ && own_exit_->stage == OwnExitStage::announced && !receipts_.contains(session.peer))
        send(session_id, session, Exit{own_exit_->notice});
    if (const auto exit = exits_.find(session.peer); exit != exits_.end() && exit->second.tombstone_durable) {
        // A copy or a lost device, which does not know: without the notice it could not make anything of the
        // receipt.
        send(session_id, session, Exit{exit->second.notice});
        if (exit->second.erased) send_receipt(session.peer, exit->second);
    }
    const auto left = left_receipts_.find(session.peer);
    if (left != left_receipts_.end() && own_exit_ && own_exit_->stage == OwnExitStage::announced)
        send(session_id, session, ReceiptMessage{left->second});
    // Exits that either of us missed while the other was away.
    begin_comparison(session_id, session);
}

/// A node that connects again has lost its connection, which was silent. One whose live connection ends for a
/// new one, again and again, runs twice.
void Engine::count_replacement(const NodeId& peer, const Session& replaced) {
    if (now_.steady - replaced.last_heard > config_.pace.suspect_after) return;
    Replacements& seen = replacements_[peer];
    if (seen.count == 0 || now_.steady - seen.since > kReplacementsWithin) {
        seen.count = 0;
        seen.since = now_.steady;
    }
    if (++seen.count < kReplacementsOfCopies) return;
    seen.count = 0;
    if (seen.told_at && now_.steady - *seen.told_at < kTellOfCopiesEvery) return;
    seen.told_at = now_.steady;
    note(EventKind::peer_copied, peer, {},
         "two processes seem to use this identity, and each ends the other's connection: is there a copy of "
         "the "
         "node's folder?");
}

void Engine::handle_nack(SessionId session_id, Session& session, const Nack& nack) {
    switch (nack.reason) {
        case NackReason::hello_first:
            if (session.dialled && now_.steady - session.last_sent >= kHelloRetry / 10) {
                session.established = false;
                send_hello(session_id, session, false);
            }
            return;
        case NackReason::no_such_version:
            if (const auto fetch = downloads_.find(session.peer);
                fetch != downloads_.end() &&
                static_cast<std::uint64_t>(fetch->second.fetch.record().version) == nack.about)
                downloads_.erase(fetch);
            return;
        case NackReason::wrong_network:
        case NackReason::wrong_version:
        case NackReason::not_authorised:
            return drop_peer(
                session_id, session.key,
                Error{ErrorCode::not_authorised, "node " + session.peer.short_text() + " refuses us"});
    }
}

void Engine::remove_session(SessionId session_id) {
    const auto it = sessions_.find(session_id);
    if (it == sessions_.end()) return;
    const NodeId peer = it->second.peer;
    sessions_.erase(it);
    if (const auto known = session_of_.find(peer);
        known != session_of_.end() && known->second == session_id) {
        session_of_.erase(known);
        note(EventKind::peer_down, peer);
    }
}

void Engine::drop_peer(SessionId session_id, CurvePublicKey key, const Error& why) {
    ++counters_.peers_dropped;
    const auto it = sessions_.find(session_id);
    const NodeId peer = it == sessions_.end() ? NodeId{} : it->second.peer;
    const bool dialled = it != sessions_.end() && it->second.dialled;
    effects_.push_back(CloseSession{session_id});
    remove_session(session_id);
    note(EventKind::peer_dropped, peer, {}, why.text());

    // A peer that was cut off before its first complete message has no key.
    if (key == CurvePublicKey{}) return;
    if (blocked_.size() >= kMaxBlockedKeys && !blocked_.contains(key)) blocked_.erase(blocked_.begin());
    Blocked& blocked = blocked_[key];
    blocked.last_period =
        blocked.last_period.count() == 0 ? kBlockFirst : std::min(blocked.last_period * 2, kBlockMost);
    blocked.until = now_.steady + blocked.last_period;
    if (dialled) redial_at_[peer] = blocked.until;
}

bool Engine::is_blocked(const CurvePublicKey& key) const {
    const auto it = blocked_.find(key);
    return it != blocked_.end() && now_.steady < it->second.until;
}

void Engine::tick_sessions() {
    std::vector<SessionId> silent;
    for (auto& [session_id, session] : sessions_) {
        const auto quiet = now_.steady - session.last_heard;
        if (quiet > config_.pace.down_after && (session.established || !session.dialled))
            silent.push_back(session_id);
        else if (session.established && !session.suspect && quiet > config_.pace.suspect_after) {
            session.suspect = true;
            note(EventKind::peer_suspect, session.peer);
        } else if (!session.established && session.dialled && now_.steady - session.last_sent > kHelloRetry)
            send_hello(session_id, session, false);
        else if (session.established && quiet > config_.pace.ping_after_idle &&
                 now_.steady - session.last_sent > config_.pace.ping_after_idle)
            send(session_id, session, Ping{next_ping_++});
    }
    for (const SessionId session_id : silent) {
        const Session& session = sessions_.at(session_id);
        if (session.dialled) redial_at_[session.peer] = now_.steady;
        effects_.push_back(CloseSession{session_id});
        remove_session(session_id);
    }
    for (auto it = redial_at_.begin(); it != redial_at_.end();) {
        if (it->second > now_.steady) {
            ++it;
            continue;
        }
        const NodeId peer = it->first;
        it = redial_at_.erase(it);
        redial(peer);
    }
    dial_who_is_missing();
}

/// Whose turn it is decides nothing when the other side does not know us, knows an old endpoint, or ended a
/// session that we took for the newest.
void Engine::dial_who_is_missing() {
    if (now_.steady < next_dial_check_) return;
    next_dial_check_ = now_.steady + kDialCheck;
    for (const auto& [peer, info] : peers_) {
        if (info.former || !info.endpoint || has_session(peer) || is_blocked(info.key)) {
            missing_.erase(peer);
            continue;
        }
        if (missing_.insert(peer).second) continue;
        if (config_.reachable && peer < id()) dialled_out_of_turn_.insert(peer);
        effects_.push_back(Dial{PeerAddress{peer, *info.endpoint}});
    }
}

void Engine::redial(const NodeId& peer) {
    const auto it = peers_.find(peer);
    if (it == peers_.end() || it->second.former || !it->second.endpoint) return;
    // Both reachable: the lower id dials, so that there is one connection and not two.
    if (config_.reachable && peer < id()) return;
    effects_.push_back(Dial{PeerAddress{peer, *it->second.endpoint}});
}

Engine::Session* Engine::established_session(const NodeId& peer) {
    const auto it = session_of_.find(peer);
    return it == session_of_.end() ? nullptr : &sessions_.at(it->second);
}

void Engine::send(SessionId session_id, Session& session, Message message) {
    session.last_sent = now_.steady;
    const Lane lane = lane_of(kind_of(message));
    const auto sequence = ++session.last_out[static_cast<std::size_t>(lane)];
    effects_.push_back(Send{session_id, encode(Envelope{sequence, std::move(message)}), lane});
}

void Engine::send_once(SessionId session_id, Message message) {
    const Lane lane = lane_of(kind_of(message));
    effects_.push_back(Send{session_id, encode(Envelope{0, std::move(message)}), lane});
}

void Engine::send_to(const NodeId& peer, const Message& message) {
    if (Session* session = established_session(peer)) send(session_of_.at(peer), *session, message);
}

void Engine::send_hello(SessionId session_id, Session& session, bool answer) {
    Hello hello;
    hello.network = config_.network;
    hello.sender = id();
    hello.answer = answer;
    hello.membership = config_.membership;
    send(session_id, session, hello);
}

}  // namespace unlearn::protocol
