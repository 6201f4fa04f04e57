#pragma once

#include <chrono>
#include <optional>

#include <zmq.hpp>

#include "node/network/send_queue.hpp"
#include "node/network/socket_pump.hpp"
#include "node/network/tcp_connection.hpp"
#include "node/network/zmq_socket.hpp"

namespace unlearn::network {

/// Lets bulk through only while little is ahead of it between us and the wire, so that an exit that comes
/// next does not wait behind it. It knows how much was handed to libzmq, and TCP knows how much of that has
/// been sent.
class BulkGate {
  public:
    /// To be made before the first message is handed over: what TCP has sent until then is the handshake.
    explicit BulkGate(std::optional<TcpConnection> connection);

    /// May `size` more bytes follow? Always, when the kernel does not tell.
    [[nodiscard]] bool open_for(std::uint64_t size);
    void handed_over(std::uint64_t size) { handed_over_ += size; }

  private:
    using Clock = std::chrono::steady_clock;
    void adopt_if_idle(const TcpConnection::Bytes& bytes);

    std::optional<TcpConnection> connection_;
    std::uint64_t handed_over_ = 0;  ///< handshake included
    std::uint64_t last_sent_ = 0;
    Clock::time_point last_change_{};
};

/// One session's way out: the queue and what may leave it now.
class Outgoing {
  public:
    explicit Outgoing(std::optional<TcpConnection> connection) : gate_(connection) {}

    [[nodiscard]] SendQueue& queue() { return queue_; }
    /// Hands over what libzmq and the gate take. When the peer is gone, the queue is emptied.
    FlushResult flush(zmq::socket_t& socket, const RoutingId* to, TrafficCounters& traffic);

  private:
    SendQueue queue_;
    BulkGate gate_;
};

}  // namespace unlearn::network
