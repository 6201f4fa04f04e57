#include "node/network/router_listener.hpp"

#include <algorithm>
#include <vector>

#include "node/network/limits.hpp"
#include "node/network/listening.hpp"

namespace unlearn::network {
namespace {

constexpr int kWatchedEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;

std::optional<protocol::CurvePublicKey> key_from(const std::string& user_id) {
    const auto bytes = protocol::from_hex(user_id);
    if (!bytes) return std::nullopt;
    const auto key = protocol::CurvePublicKey::from(*bytes);
    return key ? std::optional(*key) : std::nullopt;
}

}  // namespace

RouterListener::RouterListener(TransportShared& shared, zmq::socket_t socket)
    : shared_(shared), pump_(shared.io, std::move(socket), *this), deadline_timer_(shared.io) {}

protocol::Result<std::shared_ptr<RouterListener>> RouterListener::open(TransportShared& shared,
                                                                       const std::string& endpoint) {
    auto where = protocol::parse_endpoint(endpoint, protocol::EndpointUse::listen);
    if (!where) return tl::unexpected(where.error());
    std::shared_ptr<RouterListener> made;
    try {
        made.reset(new RouterListener(shared, make_router(shared.context, shared.identity)));
        made->monitor_ =
            SocketMonitor::start(shared.io, shared.context, made->pump_.socket(), kWatchedEvents,
                                 [raw = made.get()](const ConnectionEvent& event) { raw->on_event(event); });
        bind_to(made->pump_.socket(), *where);
        const auto bound = made->pump_.socket().get(zmq::sockopt::last_endpoint);
        made->port_ = std::stoi(bound.substr(bound.rfind(':') + 1));
        where->port = static_cast<std::uint16_t>(made->port_);
        made->endpoint_ = where->text();
        made->pump_.request();
        return made;
    } catch (const zmq::error_t& error) {
        if (made) made->close();
        return protocol::fail(protocol::ErrorCode::internal, cannot_listen(*where, error));
    }
}

void RouterListener::on_event(const ConnectionEvent& event) {
    auto& failures = shared_.traffic.handshake_failures;
    switch (event.event) {
        case ZMQ_EVENT_ACCEPTED:
            return on_accepted(event.value);
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            ++failures.not_allowed;
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            ++failures.protocol;
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            ++failures.other;
            break;
        default:
            break;
    }
    shared_.activity->look_soon();
}

void RouterListener::on_accepted(int descriptor) {
    const auto tcp = TcpConnection::at(descriptor);
    // It was closed in the meantime, and the descriptor may now be another connection, for example one that
    // we dialled.
    if (!tcp || tcp->local_port() != port_) return;
    const auto now = Clock::now();
    connections_.try_emplace(tcp->cookie(), Connection{*tcp, now});
    shared_.activity->add(*tcp);
    meet_deadlines_by(now + first_message_time());
    if (connections_.size() > kMaxConnections) make_room();
}

/// Removes the connection that has been silent for the longest time, so that many strangers cannot keep
/// members out. When all others have sent a message, this is the newest one.
void RouterListener::make_room() {
    const auto later = [](const auto& a, const auto& b) {
        const bool a_speaks = a.second.session != 0;
        const bool b_speaks = b.second.session != 0;
        if (a_speaks != b_speaks) return b_speaks;
        return a.second.accepted_at < b.second.accepted_at;
    };
    const auto silent = std::ranges::min_element(connections_, later);
    silent->second.tcp.shut_down();
    connections_.erase(silent);
}

std::chrono::milliseconds RouterListener::first_message_time() const {
    return shared_.access->provisional_time().value_or(kFirstMessageTime);
}

void RouterListener::drain() {
    for (int count = 0; count < kDrainBatch && !pump_.closed(); ++count) {
        auto incoming = receive(pump_.socket(), true);
        if (!incoming) return;
        take(std::move(*incoming));
    }
}

void RouterListener::take(Incoming incoming) {
    SessionId id = 0;
    Session* session = session_of(incoming, id);
    if (session == nullptr) return;
    if (const auto it = connections_.find(session->cookie); it != connections_.end())
        it->second.delivered += incoming.wire_bytes;
    if (session->ended) return;
    if (incoming.user_id != session->user_id) return drop(id, *session, "key changed within a session");
    if (incoming.problem) return drop(id, *session, *incoming.problem);
    // The connection was authenticated once; its key may have been removed from the list since.
    if (const auto problem =
            shared_.access->problem_with_message(session->key, incoming.frames, Clock::now()))
        return drop(id, *session, *problem);
    shared_.traffic.count_received(incoming.frames);
    shared_.handler->on_message(id, session->key, std::move(incoming.frames));
}

/// Returns the session of a message, and makes it with the first one. Returns null when the message carries
/// no key. That cannot happen while ZAP is enforced, and is refused all the same.
RouterListener::Session* RouterListener::session_of(const Incoming& incoming, SessionId& id) {
    if (const auto known = by_routing_id_.find(incoming.from); known != by_routing_id_.end()) {
        id = known->second;
        return &sessions_.at(id);
    }
    const auto key = key_from(incoming.user_id);
    const auto tcp = TcpConnection::at(incoming.descriptor);
    if (!key) {
        if (tcp) tcp->shut_down();
        return nullptr;
    }
    id = next_session_id();
    const std::uint64_t cookie = tcp ? tcp->cookie() : 0;
    if (tcp) connections_.try_emplace(cookie, Connection{*tcp, Clock::now()}).first->second.session = id;
    shared_.traffic.handshake_bytes_sent += kHandshakeFromListener;
    shared_.traffic.handshake_bytes_received += kHandshakeFromDialler;
    by_routing_id_.emplace(incoming.from, id);
    limit_sessions_of(*key);
    Session session{incoming.from, incoming.user_id, *key, cookie, Outgoing(tcp), false, {}, {}};
    return &sessions_.emplace(id, std::move(session)).first->second;
}

/// Makes room for one more session of `key`. Each session may use up to kMaxUndelivered bytes, so one key
/// must not have many.
void RouterListener::limit_sessions_of(const protocol::CurvePublicKey& key) {
    std::size_t count = 0;
    auto oldest = sessions_.end();
    for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
        if (it->second.ended || it->second.key != key) continue;
        ++count;
        if (oldest == sessions_.end() || it->first < oldest->first) oldest = it;
    }
    if (count < kMaxSessionsOfKey) return;
    cut(oldest->second);
    asio::post(shared_.io, [this, keep = shared_from_this(), id = oldest->first, key] {
        if (!pump_.closed()) shared_.handler->on_malformed(id, key, "too many connections of one key");
    });
}

FlushResult RouterListener::flush() {
    FlushResult total;
    for (auto it = with_queue_.begin(); it != with_queue_.end();) {
        Session& session = sessions_.at(*it);
        const FlushResult one = session.outgoing.flush(pump_.socket(), &session.routing_id, shared_.traffic);
        total.progressed |= one.progressed;
        total.blocked |= one.blocked;
        it = session.outgoing.queue().empty() ? with_queue_.erase(it) : std::next(it);
    }
    return total;
}

void RouterListener::send(SessionId id, Frames frames, Priority priority) {
    const auto it = sessions_.find(id);
    if (it == sessions_.end() || it->second.ended) return;
    SendQueue& queue = it->second.outgoing.queue();
    if (!queue.push(std::move(frames), priority)) {
        queue.clear();
        drop_later(id, "does not read what is sent: queue full");
        return;
    }
    with_queue_.insert(id);
    pump_.request();
}

void RouterListener::close_session(SessionId id) {
    const auto it = sessions_.find(id);
    if (it == sessions_.end() || it->second.ended) return;
    it->second.ended = true;
    it->second.shut_down_at = Clock::now() + kCloseGrace;
    meet_deadlines_by(*it->second.shut_down_at);
    shared_.access->refuse(it->second.key, Clock::now());
}

void RouterListener::drop(SessionId id, Session& session, std::string reason) {
    cut(session);
    shared_.access->refuse(session.key, Clock::now());
    shared_.handler->on_malformed(id, session.key, std::move(reason));
}

void RouterListener::cut(Session& session) {
    session.ended = true;
    session.outgoing.queue().clear();
    shut_down(session);
}

/// Does not drop the session at once, because the caller is in the middle of a call into the transport.
void RouterListener::drop_later(SessionId id, std::string reason) {
    asio::post(shared_.io, [this, keep = shared_from_this(), id, reason = std::move(reason)] {
        const auto it = sessions_.find(id);
        if (!pump_.closed() && it != sessions_.end() && !it->second.ended) drop(id, it->second, reason);
    });
}

void RouterListener::shut_down(const Session& session) {
    if (const auto it = connections_.find(session.cookie); it != connections_.end())
        it->second.tcp.shut_down();
}

void RouterListener::end_unlisted() {
    const auto now = Clock::now();
    for (auto& [id, session] : sessions_)
        if (!shared_.access->is_known(session.key, now)) close_session(id);
}

bool RouterListener::rescue() {
    const bool pump = pump_.rescue();
    return monitor_->rescue() || pump;
}

// ------------------------------------------------------------ connections

/// Returns true until the connection has brought a message of a key on the allow list.
bool RouterListener::is_stranger(const Connection& connection) const {
    const auto session = sessions_.find(connection.session);
    return session == sessions_.end() || !shared_.access->is_allowed(session->second.key);
}

void RouterListener::watch() {
    const auto now = Clock::now();
    std::vector<SessionId> endless;
    std::size_t endless_strangers = 0;
    for (auto it = connections_.begin(); it != connections_.end();) {
        Connection& connection = it->second;
        const auto bytes = connection.tcp.bytes();
        const std::size_t most = is_stranger(connection) ? kMaxUndeliveredStranger : kMaxUndelivered;
        if (bytes && bytes->received > connection.delivered + most) {
            connection.tcp.shut_down();
            connection.session != 0 ? endless.push_back(connection.session) : void(++endless_strangers);
            connection.delivered = bytes->received;  // report it only once
        }
        if (bytes) {
            ++it;
            continue;
        }
        if (const auto session = sessions_.find(connection.session); session != sessions_.end()) {
            session->second.forget_at = now + kForgetSession;
            meet_deadlines_by(*session->second.forget_at);
        }
        it = connections_.erase(it);
    }
    for (const SessionId id : endless)
        drop_later(id, "message that does not end");
    for (; endless_strangers > 0 && !pump_.closed(); --endless_strangers)
        shared_.handler->on_malformed(0, {}, "message that does not end");
}

// ------------------------------------------------------------ deadlines

void RouterListener::meet_deadlines() {
    if (pump_.closed()) return;
    const auto now = Clock::now();
    deadline_.reset();
    deadline_timer_.cancel();
    end_silent_connections(now - first_message_time());
    end_strangers(now);
    end_due_sessions(now);
    if (const auto next = next_deadline()) meet_deadlines_by(*next);
}

void RouterListener::meet_deadlines_by(Clock::time_point when) {
    if (deadline_ && *deadline_ <= when) return;
    deadline_ = when;
    deadline_timer_.expires_at(when);
    deadline_timer_.async_wait([this, weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error) meet_deadlines();
    });
}

/// We learn the key of a connection only with its first message. A connection that was admitted and stays
/// silent must not outlive its slot, which it got after it was accepted.
void RouterListener::end_silent_connections(Clock::time_point accepted_until) {
    for (const auto& [cookie, connection] : connections_)
        if (connection.session == 0 && connection.accepted_at <= accepted_until) connection.tcp.shut_down();
}

void RouterListener::end_strangers(Clock::time_point now) {
    for (auto& [id, session] : sessions_)
        if (!session.ended && !shared_.access->is_known(session.key, now)) cut(session);
    // Only now may other keys take the slots.
    shared_.access->expire(now);
}

void RouterListener::end_due_sessions(Clock::time_point now) {
    for (auto it = sessions_.begin(); it != sessions_.end();) {
        Session& session = it->second;
        if (session.shut_down_at && *session.shut_down_at <= now) {
            session.shut_down_at.reset();
            session.outgoing.queue().clear();
            shut_down(session);
        }
        if (!session.forget_at || *session.forget_at > now) {
            ++it;
            continue;
        }
        with_queue_.erase(it->first);
        by_routing_id_.erase(session.routing_id);
        it = sessions_.erase(it);
    }
}

std::optional<RouterListener::Clock::time_point> RouterListener::next_deadline() const {
    auto next = shared_.access->next_deadline();
    const auto consider = [&next](const std::optional<Clock::time_point>& other) {
        if (other && (!next || *other < *next)) next = other;
    };
    for (const auto& [id, session] : sessions_) {
        consider(session.shut_down_at);
        consider(session.forget_at);
    }
    const auto now = Clock::now();
    for (const auto& [cookie, connection] : connections_) {
        const auto due = connection.accepted_at + first_message_time();
        if (connection.session == 0 && due > now) consider(due);  // a past one is shut down already
    }
    return next;
}

bool RouterListener::flush_before_stop() {
    for (const SessionId id : with_queue_)
        sessions_.at(id).outgoing.queue().drop_bulk();
    [[maybe_unused]] const int events = events_of(pump_.socket());
    flush();
    return with_queue_.empty();
}

void RouterListener::close() {
    deadline_timer_.cancel();
    if (monitor_) monitor_->stop();
    pump_.close();
}

}  // namespace unlearn::network
