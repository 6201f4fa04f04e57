#include "protocol/engine/sessions.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace unlearn::protocol {

void Sessions::on(const LinkUp& link) {
    if (!peers_.is_neighbour(link.peer) || sessions_.size() >= kMaxSessions) {
        context_.emit(CloseSession{link.session});
        return;
    }
    Session session;
    session.peer = link.peer;
    session.key = peers_.find(link.peer)->key;
    session.dialled = true;
    session.last_heard = context_.now.steady;
    remove(link.session);
    const auto it = sessions_.emplace(link.session, std::move(session)).first;
    send_hello(link.session, it->second, false);
}

void Sessions::remove(SessionId id) {
    const auto it = sessions_.find(id);
    if (it == sessions_.end()) return;
    const NodeId peer = it->second.peer;
    sessions_.erase(it);
    ended_.push_back(id);
    if (const auto known = session_of_.find(peer); known != session_of_.end() && known->second == id) {
        session_of_.erase(known);
        context_.note(EventKind::peer_down, peer);
    }
}

void Sessions::close(SessionId id) {
    context_.emit(CloseSession{id});
    remove(id);
}

void Sessions::close_all(const NodeId& peer) {
    std::vector<SessionId> over;
    for (const auto& [id, session] : sessions_)
        if (session.peer == peer) over.push_back(id);
    for (const SessionId id : over)
        close(id);
}

void Sessions::say_bye_to_all() {
    for (auto& [id, session] : sessions_)
        if (session.established) send(id, session, Bye{});
}

void Sessions::take_bye(SessionId id) {
    const Session& session = sessions_.at(id);
    const bool dialled = session.dialled;
    const NodeId peer = session.peer;
    close(id);
    if (dialled) redial_at_[peer] = context_.now.steady + kHelloRetry;
}

void Sessions::drop(SessionId id, CurvePublicKey key, const Error& why) {
    ++context_.counters.peers_dropped;
    const auto it = sessions_.find(id);
    const NodeId peer = it == sessions_.end() ? NodeId{} : it->second.peer;
    const bool dialled = it != sessions_.end() && it->second.dialled;
    close(id);
    context_.note(EventKind::peer_dropped, peer, {}, why.text());

    // A peer that was cut off before its first complete message has no key yet.
    if (key == CurvePublicKey{}) return;
    if (blocked_.size() >= kMaxBlockedKeys && !blocked_.contains(key)) blocked_.erase(blocked_.begin());
    Blocked& blocked = blocked_[key];
    blocked.last_period =
        blocked.last_period.count() == 0 ? kBlockFirst : std::min(blocked.last_period * 2, kBlockMost);
    blocked.until = context_.now.steady + blocked.last_period;
    if (dialled) redial_at_[peer] = blocked.until;
}

bool Sessions::is_blocked(const CurvePublicKey& key) const {
    const auto it = blocked_.find(key);
    return it != blocked_.end() && context_.now.steady < it->second.until;
}

// ---------------------------------------------------------------- hello

std::optional<Sessions::Refusal> Sessions::refusal_of(const Hello& hello, const CurvePublicKey& key) const {
    const Peer* sender = peers_.find(hello.sender);
    const auto sender_key = sender == nullptr ? hello.sender.curve_key() : sender->key;
    if (hello.sender == context_.id() || sender_key != key)
        return Refusal{std::nullopt, Error{ErrorCode::bad_identity, "hello names another node than its key"}};
    if (hello.network != context_.config.network)
        return Refusal{NackReason::wrong_network,
                       Error{ErrorCode::wrong_network, "hello of node " + hello.sender.short_text()}};
    const WireVersions& ours = context_.config.wire;
    if (hello.oldest_version > ours.newest || hello.newest_version < ours.oldest)
        return Refusal{NackReason::wrong_version,
                       Error{ErrorCode::wrong_version, "hello of node " + hello.sender.short_text()}};
    return std::nullopt;
}

Session* Sessions::meet(SessionId id, const CurvePublicKey& key, std::uint64_t sequence, const Hello& hello) {
    auto it = sessions_.find(id);
    if (it == sessions_.end()) {
        if (sessions_.size() >= kMaxSessions) {
            context_.emit(CloseSession{id});
            return nullptr;
        }
        Session session;
        session.peer = hello.sender;
        session.key = key;
        it = sessions_.emplace(id, std::move(session)).first;
    }
    Session& session = it->second;
    if (session.peer != hello.sender) {
        drop(id, key, Error{ErrorCode::bad_identity, "hello names another node than before"});
        return nullptr;
    }
    if (const auto counted = count_in(session, Lane::urgent, sequence); !counted) {
        drop(id, key, counted.error());
        return nullptr;
    }
    // A Hello is answered with all that its sender may have missed, so it costs us more than other messages.
    if (!allowances_of(hello.sender).hellos.take(1, context_.now.steady)) {
        drop(id, key, Error{ErrorCode::too_much, "hellos"});
        return nullptr;
    }
    session.last_heard = context_.now.steady;
    session.version = std::min(hello.newest_version, context_.config.wire.newest);
    if (!hello.answer) send_hello(id, session, true);
    return &session;
}

void Sessions::establish(SessionId id, Session& session) {
    session.established = true;
    const auto known = session_of_.find(session.peer);
    const bool was_up = known != session_of_.end();
    if (was_up && known->second != id) {
        // The newest session of a node wins.
        const SessionId old = known->second;
        if (const auto replaced = sessions_.find(old); replaced != sessions_.end())
            count_replacement(session.peer, replaced->second);
        sessions_.erase(old);
        ended_.push_back(old);
        context_.emit(CloseSession{old});
    }
    session_of_[session.peer] = id;
    // The peer has connected by itself, and one connection is enough.
    if (dialled_out_of_turn_.erase(session.peer) > 0 && !session.dialled) context_.emit(HangUp{session.peer});
    blocked_.erase(session.key);
    if (!was_up) context_.note(EventKind::peer_up, session.peer);
}

/// A node that connects again has usually lost its connection, and that one was silent. When live connections
/// of a node are replaced again and again, the node runs twice.
void Sessions::count_replacement(const NodeId& peer, const Session& replaced) {
    const SteadyTime now = context_.now.steady;
    if (now - replaced.last_heard > context_.config.pace.suspect_after) return;
    Replacements& seen = replacements_[peer];
    if (seen.count == 0 || now - seen.since > kReplacementsWithin) {
        seen.count = 0;
        seen.since = now;
    }
    if (++seen.count < kReplacementsOfCopies) return;
    seen.count = 0;
    if (seen.told_at && now - *seen.told_at < kTellOfCopiesEvery) return;
    seen.told_at = now;
    context_.note(EventKind::peer_copied, peer, {},
                  "two processes seem to use this identity, and each ends the other's connection: is there a "
                  "copy of the node's folder?");
}

// ---------------------------------------------------------------- messages

Session* Sessions::receive(const Received& received, const Envelope& envelope) {
    const auto it = sessions_.find(received.session);
    if (it == sessions_.end()) {
        // Never answer a Nack with a Nack, or two nodes that both forgot the session would never stop.
        if (!std::holds_alternative<Nack>(envelope.message))
            send_once(received.session, Nack{NackReason::hello_first, 0});
        ++context_.counters.messages_ignored;
        return nullptr;
    }
    Session& session = it->second;
    const auto refuse = [&](const Error& why) {
        drop(received.session, received.key, why);
        return nullptr;
    };
    if (session.key != received.key)
        return refuse(Error{ErrorCode::bad_identity, "key changed within a session"});
    // A node that does not know the session cannot number its Nack, so the Nack has sequence number 0.
    const bool unnumbered = envelope.sequence == 0 && std::holds_alternative<Nack>(envelope.message);
    if (!unnumbered) {
        const auto counted = count_in(session, lane_of(kind_of(envelope.message)), envelope.sequence);
        if (!counted) return refuse(counted.error());
    }
    const Kind kind = kind_of(envelope.message);
    if (version_of(kind) > session.version)
        return refuse(Error{
            ErrorCode::wrong_version,
            std::string(name_of(kind)) + " in a session of version " + std::to_string(session.version)});
    session.last_heard = context_.now.steady;
    session.suspect = false;
    double bytes = 0;
    for (const auto& frame : received.frames)
        bytes += static_cast<double>(frame.size());
    auto& allowances = allowances_of(session.peer);
    if (!allowances.frames.take(1, context_.now.steady) || !allowances.bytes.take(bytes, context_.now.steady))
        return refuse(Error{ErrorCode::too_much, "messages or bytes"});
    return &session;
}

Result<void> Sessions::count_in(Session& session, Lane lane, std::uint64_t sequence) {
    auto& last = session.last_in[static_cast<std::size_t>(lane)];
    if (sequence <= last) return fail(ErrorCode::out_of_order, "sequence " + std::to_string(sequence));
    last = sequence;
    return {};
}

void Sessions::take_hello_first(SessionId id, Session& session) {
    if (!session.dialled || context_.now.steady - session.last_sent < kHelloRetry / 10) return;
    session.established = false;
    send_hello(id, session, false);
}

void Sessions::send(SessionId id, Session& session, Message message) {
    session.last_sent = context_.now.steady;
    const Lane lane = lane_of(kind_of(message));
    const auto sequence = ++session.last_out[static_cast<std::size_t>(lane)];
    context_.emit(Send{id, encode(Envelope{sequence, std::move(message)}), lane});
}

void Sessions::send_if_known(SessionId id, Session& session, Message message) {
    if (version_of(kind_of(message)) <= session.version) send(id, session, std::move(message));
}

void Sessions::send_once(SessionId id, Message message) {
    const Lane lane = lane_of(kind_of(message));
    context_.emit(Send{id, encode(Envelope{0, std::move(message)}), lane});
}

void Sessions::send_to(const NodeId& peer, const Message& message) {
    if (Session* session = established(peer)) send(session_of_.at(peer), *session, message);
}

void Sessions::send_hello(SessionId id, Session& session, bool answer) {
    Hello hello;
    hello.oldest_version = context_.config.wire.oldest;
    hello.newest_version = context_.config.wire.newest;
    hello.network = context_.config.network;
    hello.sender = context_.id();
    hello.answer = answer;
    hello.membership = context_.config.membership;
    send(id, session, hello);
}

// ---------------------------------------------------------------- time

void Sessions::tick() {
    const SteadyTime now = context_.now.steady;
    const Pace& pace = context_.config.pace;
    std::vector<SessionId> silent;
    for (auto& [id, session] : sessions_) {
        const auto quiet = now - session.last_heard;
        if (quiet > pace.down_after && (session.established || !session.dialled))
            silent.push_back(id);
        else if (session.established && !session.suspect && quiet > pace.suspect_after) {
            session.suspect = true;
            context_.note(EventKind::peer_suspect, session.peer);
        } else if (!session.established && session.dialled && now - session.last_sent > kHelloRetry)
            send_hello(id, session, false);
        else if (session.established && quiet > pace.ping_after_idle &&
                 now - session.last_sent > pace.ping_after_idle)
            send(id, session, Ping{next_ping_++});
    }
    for (const SessionId id : silent) {
        const Session& session = sessions_.at(id);
        if (session.dialled) redial_at_[session.peer] = now;
        close(id);
    }
    for (auto it = redial_at_.begin(); it != redial_at_.end();) {
        if (it->second > now) {
            ++it;
            continue;
        }
        const NodeId peer = it->first;
        it = redial_at_.erase(it);
        dial(peer);
    }
    dial_who_is_missing();
}

/// Dials peers without a session even when it is their turn to dial. The other side may not know us, may know
/// an old endpoint, or may have ended a session that we took for the newest.
void Sessions::dial_who_is_missing() {
    if (context_.now.steady < next_dial_check_) return;
    next_dial_check_ = context_.now.steady + kDialCheck;
    for (const auto& [id, peer] : peers_.all()) {
        if (peer.former || !peer.endpoint || has_session(id) || is_blocked(peer.key)) {
            missing_.erase(id);
            continue;
        }
        if (missing_.insert(id).second) continue;
        if (context_.config.reachable && id < context_.id()) dialled_out_of_turn_.insert(id);
        context_.emit(Dial{PeerAddress{id, *peer.endpoint}});
    }
}

void Sessions::dial(const NodeId& peer) {
    const Peer* known = peers_.find(peer);
    if (known == nullptr || known->former || !known->endpoint) return;
    // When both sides can be reached, the lower id dials, so that there is only one connection.
    if (context_.config.reachable && peer < context_.id()) return;
    context_.emit(Dial{PeerAddress{peer, *known->endpoint}});
}

void Sessions::dial_all() {
    for (const auto& [id, peer] : peers_.all())
        dial(id);
}

// ---------------------------------------------------------------- questions

Session* Sessions::established(const NodeId& peer) {
    const auto it = session_of_.find(peer);
    return it == session_of_.end() ? nullptr : &sessions_.at(it->second);
}

Session* Sessions::find(SessionId id) {
    const auto it = sessions_.find(id);
    return it == sessions_.end() ? nullptr : &it->second;
}

bool Sessions::has_session(const NodeId& peer) const {
    return std::any_of(sessions_.begin(), sessions_.end(),
                       [&](const auto& entry) { return entry.second.peer == peer; });
}

}  // namespace unlearn::protocol
