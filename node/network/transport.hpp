#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "node/network/frames.hpp"
#include "node/network/traffic.hpp"
#include "protocol/identity.hpp"
#include "protocol/result.hpp"

/// The border between a node and the network. Real sockets (`ZmqTransport`) and an in-memory network
/// (`MemoryTransport`) are interchangeable behind it.
namespace unlearn::network {

/// One connection's life. Never used again within a process; 0 stands for no session.
using SessionId = std::uint64_t;

/// The next unused one. Thread-safe.
[[nodiscard]] SessionId next_session_id();

/// Urgent overtakes normal, normal overtakes bulk; within one priority the order is kept. Exit and Receipt
/// are urgent, Chunk is bulk.
enum class Priority { urgent, normal, bulk };

/// What a transport tells the node. Everything is called on the thread that runs the transport's io_context,
/// and never from inside a call into the transport, so that a handler may call the transport freely.
class TransportHandler {
  public:
    virtual ~TransportHandler() = default;

    /// A dialled connection is usable, for the first time or again: a new session every time.
    virtual void on_link_up(SessionId session, const protocol::NodeId& peer) = 0;
    /// A dialled connection was lost; it is being dialled again. Nothing more comes from this session.
    virtual void on_link_down(SessionId session) = 0;
    /// A message of the right outer shape. `key` is what CURVE authenticated. A session that the peer dialled
    /// appears here for the first time, and is never announced or taken leave of.
    virtual void on_message(SessionId session, const protocol::CurvePublicKey& key, Frames frames) = 0;
    /// The peer broke a rule of the transport, or does not read what we send. The connection is dropped, and
    /// not dialled again before `dial` is called; nothing more comes from this session. Session and key are
    /// zero when the peer was dropped before its first complete message.
    virtual void on_malformed(SessionId session, const protocol::CurvePublicKey& key, std::string reason) = 0;
    /// The host of a dialled peer cannot be looked up; `problem` is one line that names it. It is tried
    /// again. Told once for each problem in a row.
    virtual void on_unresolved(const protocol::NodeId& /*peer*/, const std::string& /*problem*/) {}
};

/// One node's connections. All functions are called on the thread that runs the io_context (or before it
/// runs).
class Transport {
  public:
    virtual ~Transport() = default;

    /// Binds, when this node can be dialled. `handler` must outlive the transport or `stop`.
    /// @return one line that names the endpoint when it cannot be bound.
    [[nodiscard]] virtual protocol::Result<void> start(TransportHandler& handler) = 0;

    /// Connects to `peer` and stays connected until `hang_up`, `close`, or a broken rule. Harmless when it is
    /// already being dialled there; another endpoint replaces the old one.
    virtual void dial(const protocol::PeerAddress& peer) = 0;
    /// Ends the connection that was dialled to `peer`; what was sent before still goes out if it can.
    virtual void hang_up(const protocol::NodeId& peer) = 0;

    /// Queues a message; one to an unknown or ended session is dropped silently. The frames must have the
    /// outer shape of a message.
    virtual void send(SessionId session, Frames frames, Priority priority) = 0;
    /// Ends a session, without on_link_down. A dialled peer is not dialled again before `dial`.
    virtual void close(SessionId session) = 0;

    /// The keys that may connect to us: the whole list, empty at first. Sessions of others end; a key that is
    /// struck off is not dialled any more either, and its dialled session ends with on_link_down.
    virtual void allow(std::span<const protocol::CurvePublicKey> keys) = 0;

    /// Lets in keys that are not on the list as well, `at_most` of them at one time and each for
    /// `for_at_most`, so that they can show by a hello that they belong here. Until `allow` lists it, one
    /// message with a body of kMaxHelloBody bytes and no payload is delivered from such a key. A second one,
    /// a longer one, `close`, or the end of its time ends its sessions, and it is refused for twice its time.
    /// Off at first; 0 turns it off and ends those sessions.
    virtual void admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most) = 0;

    /// Where we can be dialled, with the real port; nothing when we cannot.
    [[nodiscard]] virtual std::optional<std::string> bound_endpoint() const = 0;
    [[nodiscard]] virtual TrafficCounters traffic() const = 0;

    /// Sends what is queued and not bulk for a short while, then ends everything. No calls to the handler
    /// afterwards.
    virtual void stop() = 0;
};

}  // namespace unlearn::network
