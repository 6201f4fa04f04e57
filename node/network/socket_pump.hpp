#pragma once

#include <memory>

#include <zmq.hpp>

#include "node/network/asio.hpp"

namespace unlearn::network {

/// The result of one attempt to send.
struct FlushResult {
    bool progressed = false;  ///< something was sent
    bool blocked = false;     ///< something could not be sent now and waits
};

/// The object that reads and writes a pumped socket. It is held by shared_ptr so that it outlives its own
/// callbacks.
class PumpClient : public std::enable_shared_from_this<PumpClient> {
  public:
    virtual ~PumpClient() = default;
    /// Receives at most kDrainBatch messages, without waiting.
    virtual void drain() = 0;
    /// Sends what it can, without waiting.
    virtual FlushResult flush() = 0;
};

/// Moves one socket's messages on an io_context without missing an edge of its descriptor.
///
/// ZMQ_FD is edge-triggered, and both receiving and sending may consume the edge. The pump therefore receives
/// and sends until ZMQ_EVENTS, read last, says that nothing is left, and only then waits for the descriptor.
/// Call `request` after every change of what is to be sent. What the peer's queue does not take is tried
/// again on the next edge. It is also tried on a timer, because another connection's call can consume that
/// edge.
class SocketPump {
  public:
    /// `client` owns the pump.
    SocketPump(asio::io_context& io, zmq::socket_t socket, PumpClient& client);
    ~SocketPump() { close(); }
    SocketPump(const SocketPump&) = delete;
    SocketPump& operator=(const SocketPump&) = delete;

    [[nodiscard]] zmq::socket_t& socket() { return socket_; }
    [[nodiscard]] bool closed() const { return closed_; }

    /// Runs the pump soon, not from inside this call.
    void request();
    /// Checks whether a wake-up was lost, which must not happen. @return true when one was; the pump then
    /// runs.
    [[nodiscard]] bool rescue();
    /// Releases the descriptor and closes the socket. libzmq still sends what it has, for at most kLinger.
    void close();

  private:
    void run();
    void wait();
    void retry_later(bool progressed);

    PumpClient& client_;
    zmq::socket_t socket_;
    asio::io_context& io_;
    asio::posix::stream_descriptor descriptor_;
    asio::steady_timer retry_;
    std::chrono::milliseconds retry_after_;
    bool requested_ = false;
    bool waiting_ = false;
    bool retrying_ = false;
    bool closed_ = false;
};

}  // namespace unlearn::network
