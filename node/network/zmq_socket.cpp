#include "node/network/zmq_socket.hpp"

#include <cassert>
#include <cstring>
#include <memory>

#include <poll.h>
#include <sodium.h>

#include "node/network/limits.hpp"
#include "node/network/traffic.hpp"

namespace unlearn::network {
namespace {

// The header of libzmq 4.3 defines this option only when drafts are enabled; the library always has it.
constexpr int kZapEnforceDomain = 93;
constexpr std::size_t kPayloadFrame = 2;

zmq::const_buffer buffer_of(const protocol::CurvePublicKey& key) {
    return {key.value.data(), key.value.size()};
}

template <typename Duration>
int count(Duration duration) {
    return static_cast<int>(duration.count());
}

void set_common(zmq::socket_t& socket, const protocol::Identity& own) {
    socket.set(zmq::sockopt::linger, count(kLinger));
    socket.set(zmq::sockopt::sndhwm, kSendHighWater);
    socket.set(zmq::sockopt::rcvhwm, kReceiveHighWater);
    socket.set(zmq::sockopt::sndbuf, kKernelSendBuffer);
    socket.set(zmq::sockopt::rcvbuf, kKernelReceiveBuffer);
    socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kMaxWireFrame));
    socket.set(zmq::sockopt::handshake_ivl, count(kHandshakeTimeout));
    socket.set(zmq::sockopt::tcp_keepalive, 1);
    socket.set(zmq::sockopt::tcp_keepalive_idle, count(kKeepAliveIdle));
    socket.set(zmq::sockopt::tcp_keepalive_intvl, count(kKeepAliveInterval));
    socket.set(zmq::sockopt::tcp_keepalive_cnt, kKeepAliveProbes);
    socket.set(zmq::sockopt::tcp_maxrt, count(kUnackedTimeout));

    auto secret = own.curve_secret_key();
    socket.set(zmq::sockopt::curve_secretkey, zmq::const_buffer(secret.data(), secret.size()));
    sodium_memzero(secret.data(), secret.size());
}

/// Receives one part; returns false when there is none. Retries when a signal interrupts the call.
bool receive_part(zmq::socket_t& socket, zmq::message_t& part) {
    while (true) {
        const int size = zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT);
        if (size >= 0) return true;
        if (errno != EINTR) return false;
    }
}

std::string property_of(zmq::message_t& part, const char* name) {
    const char* value = zmq_msg_gets(part.handle(), name);
    return value == nullptr ? std::string{} : std::string(value);
}

void take_part(Incoming& incoming, std::size_t index, zmq::message_t& part,
               std::vector<std::size_t>& lengths) {
    incoming.wire_bytes += wire_size_of_frame(part.size());
    if (index == 0) {
        incoming.user_id = property_of(part, "User-Id");
        incoming.descriptor = zmq_msg_get(part.handle(), ZMQ_SRCFD);
    }
    // One length too many is enough to reject the message. Further lengths from a hostile peer are not kept.
    if (lengths.size() <= protocol::kMaxFrames) lengths.push_back(part.size());
    if (part.size() > longest_frame(index)) return;
    const auto* data = part.data<std::uint8_t>();
    incoming.frames.emplace_back(data, data + part.size());
    if (index == kPayloadFrame) sodium_memzero(part.data(), part.size());
}

void wipe_and_free(void* data, void* owner) {
    auto* bytes = static_cast<protocol::Bytes*>(owner);
    sodium_memzero(data, bytes->size());
    delete bytes;
}

void fill(zmq::message_t& part, std::size_t index, protocol::Bytes& frame) {
    if (frame.empty()) return part.rebuild();  // its data pointer may be null
    if (index != kPayloadFrame) return part.rebuild(frame.data(), frame.size());
    auto owned = std::make_unique<protocol::Bytes>(std::move(frame));
    part.rebuild(owned->data(), owned->size(), &wipe_and_free, owned.get());
    owned.release();
}

SendResult send_part(zmq::socket_t& socket, zmq::message_t& part, bool more) {
    while (true) {
        if (zmq_msg_send(part.handle(), socket.handle(), ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0)
            return SendResult::sent;
        if (errno == EINTR) continue;
        return errno == EAGAIN ? SendResult::full : SendResult::gone;
    }
}

}  // namespace

std::string zap_domain_of(const protocol::NodeId& id) {
    return id.text();
}

zmq::socket_t make_dealer(zmq::context_t& context, const protocol::Identity& own,
                          const protocol::NodeId& server) {
    zmq::socket_t socket(context, zmq::socket_type::dealer);
    set_common(socket, own);
    socket.set(zmq::sockopt::curve_publickey, buffer_of(own.id().curve_key()));
    socket.set(zmq::sockopt::curve_serverkey, buffer_of(server.curve_key()));
    socket.set(zmq::sockopt::immediate, 1);
    socket.set(zmq::sockopt::connect_timeout, count(kConnectTimeout));
    // One socket per connection, so that a message of an old connection can never be taken for one of a new
    // connection.
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    return socket;
}

zmq::socket_t make_router(zmq::context_t& context, const protocol::Identity& own) {
    zmq::socket_t socket(context, zmq::socket_type::router);
    set_common(socket, own);
    socket.set(zmq::sockopt::curve_server, 1);
    socket.set(zmq::sockopt::zap_domain, zap_domain_of(own.id()));
    const int enforce = 1;
    if (zmq_setsockopt(socket.handle(), kZapEnforceDomain, &enforce, sizeof(enforce)) != 0)
        throw zmq::error_t();  // without it ZAP fails open
    socket.set(zmq::sockopt::router_mandatory, 1);
    socket.set(zmq::sockopt::router_handover, 0);
    socket.set(zmq::sockopt::backlog, kListenBacklog);
    return socket;
}

int events_of(zmq::socket_t& socket) {
    int events = 0;
    std::size_t size = sizeof(events);
    while (zmq_getsockopt(socket.handle(), ZMQ_EVENTS, &events, &size) != 0) {
        if (errno != EINTR) return 0;  // the context is ending
    }
    return events;
}

bool lost_a_wake(zmq::socket_t& socket, int descriptor) {
    pollfd item{descriptor, POLLIN, 0};
    if (::poll(&item, 1, 0) > 0) return false;  // the wake-up is on its way
    return (events_of(socket) & ZMQ_POLLIN) != 0;
}

std::optional<Incoming> receive(zmq::socket_t& socket, bool routed) {
    zmq::message_t part;
    if (!receive_part(socket, part)) return std::nullopt;
    Incoming incoming;
    if (routed) {
        incoming.from = part.to_string();
        if (!part.more() || !receive_part(socket, part)) {
            incoming.problem = "message without frames";
            return incoming;
        }
    }
    // libzmq delivers a message only when all of its parts have arrived, so none of these calls waits.
    std::vector<std::size_t> lengths;
    for (std::size_t index = 0;; ++index) {
        take_part(incoming, index, part, lengths);
        if (!part.more() || !receive_part(socket, part)) break;
    }
    incoming.problem = problem_with(lengths);
    if (incoming.problem) incoming.frames.clear();
    return incoming;
}

SendResult send(zmq::socket_t& socket, const RoutingId* to, Frames& frames) {
    zmq::message_t part;
    if (to != nullptr) {
        part.rebuild(to->data(), to->size());
        if (const auto result = send_part(socket, part, true); result != SendResult::sent) return result;
    }
    for (std::size_t index = 0; index < frames.size(); ++index) {
        fill(part, index, frames[index]);
        const auto result = send_part(socket, part, index + 1 < frames.size());
        if (result == SendResult::sent) continue;
        // Once libzmq has begun a message, it takes the rest or drops all of it with the connection.
        const bool begun = to != nullptr || index > 0;
        return begun ? SendResult::gone : result;
    }
    return SendResult::sent;
}

}  // namespace unlearn::network
