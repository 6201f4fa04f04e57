#pragma once

#include <optional>
#include <string>

#include <zmq.hpp>

#include "node/network/frames.hpp"
#include "protocol/identity.hpp"

/// Makes sockets with the options that this folder relies on, and moves whole messages through them.
namespace unlearn::network {

/// The id that a ROUTER makes up for a connection. It is an address, not an identity.
using RoutingId = std::string;

/// Makes a DEALER that connects once to the node with `server`'s key, and gives up when the connection is
/// lost.
[[nodiscard]] zmq::socket_t make_dealer(zmq::context_t& context, const protocol::Identity& own,
                                        const protocol::NodeId& server);
/// Makes a ROUTER that lets in only the keys that ZAP accepts in the domain of `own`. Without a bound handler
/// it lets no key in.
[[nodiscard]] zmq::socket_t make_router(zmq::context_t& context, const protocol::Identity& own);
/// Returns the ZAP domain of a node.
[[nodiscard]] std::string zap_domain_of(const protocol::NodeId& id);

/// Reads ZMQ_EVENTS. This must be the last call on a socket before waiting on its descriptor, because it
/// consumes what the descriptor signalled.
[[nodiscard]] int events_of(zmq::socket_t& socket);

/// Returns true when something can be read although `descriptor`, the socket's ZMQ_FD, does not say so.
[[nodiscard]] bool lost_a_wake(zmq::socket_t& socket, int descriptor);

/// One message as it came out of a socket.
struct Incoming {
    RoutingId from;                      ///< set by a ROUTER only
    std::string user_id;                 ///< what ZAP put on the frames; empty on a DEALER
    int descriptor = -1;                 ///< the TCP connection that it came through
    Frames frames;                       ///< empty when there is a problem
    std::uint64_t wire_bytes = 0;        ///< of all its frames, kept or not
    std::optional<std::string> problem;  ///< why it is not a valid message
};

/// Returns the next message, without waiting. Frames beyond the allowed number and length are counted and not
/// kept.
[[nodiscard]] std::optional<Incoming> receive(zmq::socket_t& socket, bool routed);

/// The result of sending one message: it was sent, the queue is full, or the peer is gone.
enum class SendResult { sent, full, gone };

/// Sends without waiting. `frames` are taken only when they were sent. `to` is the receiver for a ROUTER and
/// null for a DEALER. libzmq's copy of the payload is overwritten when it has been sent, since it may be a
/// piece of a seed.
[[nodiscard]] SendResult send(zmq::socket_t& socket, const RoutingId* to, Frames& frames);

}  // namespace unlearn::network
