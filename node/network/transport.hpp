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

/// The boundary between a node and the network. Real sockets (`ZmqTransport`) and an in-memory network
/// (`MemoryTransport`) are interchangeable behind it.
namespace unlearn::network {

/// Identifies one connection from its start to its end. An id is never used again within a process; 0 means
/// no session.
using SessionId = std::uint64_t;

/// Returns the next unused session id. Thread-safe.
[[nodiscard]] SessionId next_session_id();

/// Urgent messages overtake normal ones, and those overtake bulk. Order is kept within one priority. Exit and
/// Receipt are urgent, Chunk is bulk.
enum class Priority { urgent, normal, bulk };

/// Receives what a transport reports to its node. All functions are called on the thread that runs the
/// transport's io_context, and never from inside a call into the transport. A handler may therefore call the
/// transport freely.
class TransportHandler {
  public:
    virtual ~TransportHandler() = default;

    /// A dialled connection is usable, for the first time or again. It is a new session every time.
    virtual void on_link_up(SessionId session, const protocol::NodeId& peer) = 0;
    /// A dialled connection was lost and is being dialled again. This session delivers nothing more.
    virtual void on_link_down(SessionId session) = 0;
    /// A message with the right outer shape has arrived. `key` is the key that CURVE authenticated. A session
    /// that the peer dialled appears here for the first time; its start and end are not reported.
    virtual void on_message(SessionId session, const protocol::CurvePublicKey& key, Frames frames) = 0;
    /// The peer broke a rule of the transport, or does not read what we send. The connection is dropped and
    /// not dialled again before `dial` is called. The session delivers nothing more. Session and key are zero
    /// when the peer was dropped before its first complete message.
    virtual void on_malformed(SessionId session, const protocol::CurvePublicKey& key, std::string reason) = 0;
    /// The host of a dialled peer cannot be looked up; `problem` is one line that names the host. The look-up
    /// is tried again. A problem that repeats is reported once.
    virtual void on_unresolved(const protocol::NodeId& /*peer*/, const std::string& /*problem*/) {}
};

/// The connections of one node. Call all functions on the thread that runs the io_context (or before it
/// runs).
class Transport {
  public:
    virtual ~Transport() = default;

    /// Binds the socket of a node that can be dialled. `handler` must outlive the transport or live until
    /// `stop`.
    /// @return one line that names the endpoint when it cannot be bound.
    [[nodiscard]] virtual protocol::Result<void> start(TransportHandler& handler) = 0;

    /// Connects to `peer` and stays connected until `hang_up`, `close`, or a broken rule. Does nothing when
    /// the peer is already being dialled at that endpoint. Another endpoint replaces the old one.
    virtual void dial(const protocol::PeerAddress& peer) = 0;
    /// Ends the connection that was dialled to `peer`. What was sent before, except bulk, still goes out if
    /// it can.
    virtual void hang_up(const protocol::NodeId& peer) = 0;

    /// Queues a message. A message to an unknown or ended session is dropped silently. The frames must have
    /// the outer shape of a message.
    virtual void send(SessionId session, Frames frames, Priority priority) = 0;
    /// Ends a session without on_link_down. A dialled peer is not dialled again before `dial` is called.
    virtual void close(SessionId session) = 0;

    /// Sets the whole list of keys that may connect to us; it is empty at first. Sessions of other keys end.
    /// A key that is removed is no longer dialled either, and its dialled session ends with on_link_down.
    virtual void allow(std::span<const protocol::CurvePublicKey> keys) = 0;

    /// Admits keys that are not on the list as well, at most `at_most` at a time and each for `for_at_most`,
    /// so that they can show with a Hello that they belong here. Until `allow` lists such a key, one message
    /// from it is delivered, with a body of at most kMaxHelloBody bytes and no payload. A second message, a
    /// longer one, `close`, or the end of its time ends the key's sessions, and it is refused for twice its
    /// time. Off at first; 0 turns it off and ends those sessions.
    virtual void admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most) = 0;

    /// Returns the endpoint at which we can be dialled, with the real port; nothing when we cannot be
    /// dialled.
    [[nodiscard]] virtual std::optional<std::string> bound_endpoint() const = 0;
    [[nodiscard]] virtual TrafficCounters traffic() const = 0;

    /// Sends what is queued, except bulk, for a short while and then ends everything. The handler is not
    /// called afterwards.
    virtual void stop() = 0;
};

}  // namespace unlearn::network
