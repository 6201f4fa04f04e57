#pragma once

#include <chrono>
#include <optional>

#include <zmq.hpp>

#include "node/network/send_queue.hpp"
#include "node/network/socket_pump.hpp"
#include "node/network/tcp_connection.hpp"
#include "node/network/zmq_socket.hpp"

namespace unlearn::network {

/// Lets bulk through only while little is ahead of it on the way to the wire, so that an exit that comes next
/// does not wait behind it. The gate counts the bytes handed to libzmq, and TCP reports how many of them it
/// has sent.
class BulkGate {
  public:
    /// Make the gate before the first message is handed over: what TCP has sent by then is the handshake.
    explicit BulkGate(std::optional<TcpConnection> connection);

    /// Returns true when `size` more bytes may follow. Always true when the kernel gives no byte counts.
    [[nodiscard]] bool open_for(std::uint64_t size);
    void handed_over(std::uint64_t size) { handed_over_ += size; }

  private:
    using Clock = std::chrono::steady_clock;
    void adopt_if_idle(const TcpConnection::Bytes& bytes);

    std::optional<TcpConnection> connection_;
    std::uint64_t handed_over_ = 0;  ///< bytes, including the handshake
    std::uint64_t last_sent_ = 0;
    Clock::time_point last_change_{};
};

/// The outgoing side of one session: the queue, and the gate that decides what may leave it now.
class Outgoing {
  public:
    explicit Outgoing(std::optional<TcpConnection> connection) : gate_(connection) {}

    [[nodiscard]] SendQueue& queue() { return queue_; }
    /// Hands over as much as libzmq and the gate take. Empties the queue when the peer is gone.
    FlushResult flush(zmq::socket_t& socket, const RoutingId* to, TrafficCounters& traffic);

  private:
    SendQueue queue_;
    BulkGate gate_;
};

}  // namespace unlearn::network
