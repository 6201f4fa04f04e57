#pragma once

#include <optional>
#include <string>

#include <zmq.hpp>

#include "node/network/frames.hpp"
#include "protocol/identity.hpp"

/// Making sockets with the options that everything here relies on, and moving whole messages through them.
namespace unlearn::network {

/// The id that a ROUTER makes up for a connection. It is an address and not an identity.
using RoutingId = std::string;

/// A DEALER that connects once to the holder of `server`'s key, and gives up when the connection is lost.
[[nodiscard]] zmq::socket_t make_dealer(zmq::context_t& context, const protocol::Identity& own,
                                        const protocol::NodeId& server);
/// A ROUTER that lets in only the keys that ZAP accepts in the domain of `own`, also when no handler is
/// bound.
[[nodiscard]] zmq::socket_t make_router(zmq::context_t& context, const protocol::Identity& own);
/// The ZAP domain of a node.
[[nodiscard]] std::string zap_domain_of(const protocol::NodeId& id);

/// ZMQ_EVENTS: the last look at a socket before waiting on its descriptor, because it takes in what the
/// descriptor signalled.
[[nodiscard]] int events_of(zmq::socket_t& socket);

/// Something can be read although `descriptor`, the socket's ZMQ_FD, does not say so.
[[nodiscard]] bool lost_a_wake(zmq::socket_t& socket, int descriptor);

/// One message as it came out of a socket.
struct Incoming {
    RoutingId from;                      ///< ROUTER only
    std::string user_id;                 ///< what ZAP put on the frames; empty on a DEALER
    int descriptor = -1;                 ///< of the TCP connection it came through
    Frames frames;                       ///< empty when there is a problem
    std::uint64_t wire_bytes = 0;        ///< all of its frames, kept or not
    std::optional<std::string> problem;  ///< why it is no message of ours
};

/// The next message, without waiting. Frames beyond the allowed number and length are counted and not kept.
[[nodiscard]] std::optional<Incoming> receive(zmq::socket_t& socket, bool routed);

enum class SendResult { sent, full, gone };

/// Sends without waiting; `frames` are taken only when they were sent. `to` is for a ROUTER. libzmq's copy of
/// the payload is overwritten when it has been sent, since it may be a piece of a seed.
[[nodiscard]] SendResult send(zmq::socket_t& socket, const RoutingId* to, Frames& frames);

}  // namespace unlearn::network
