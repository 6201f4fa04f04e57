#pragma once

#include <memory>

#include <zmq.hpp>

#include "node/network/asio.hpp"

namespace unlearn::network {

/// What one attempt to send has come to.
struct FlushResult {
    bool progressed = false;  ///< something was sent
    bool blocked = false;     ///< something waits that could not be sent now
};

/// The object that reads and writes a pumped socket. Held by shared_ptr, so that it outlives its own
/// callbacks.
class PumpClient : public std::enable_shared_from_this<PumpClient> {
  public:
    virtual ~PumpClient() = default;
    /// Receives kDrainBatch messages at most, without waiting.
    virtual void drain() = 0;
    /// Sends what it can, without waiting.
    virtual FlushResult flush() = 0;
};

/// Moves one socket's messages on an io_context without ever missing an edge of its descriptor.
///
/// ZMQ_FD is edge-triggered, and receiving and sending may both consume the edge. So: receive and send until
/// ZMQ_EVENTS, read last, says that nothing is left, and only then wait for the descriptor. Whoever changes
/// what is to be sent calls `request`. What the peer's queue does not take is tried again on the next edge
/// and, because another connection's call can consume that edge too, on a timer as well.
class SocketPump {
  public:
    /// `client` owns the pump.
    SocketPump(asio::io_context& io, zmq::socket_t socket, PumpClient& client);
    ~SocketPump() { close(); }
    SocketPump(const SocketPump&) = delete;
    SocketPump& operator=(const SocketPump&) = delete;

    [[nodiscard]] zmq::socket_t& socket() { return socket_; }
    [[nodiscard]] bool closed() const { return closed_; }

    /// Pumps soon, not from inside this call.
    void request();
    /// Looks whether a wake was lost, which must not happen. @return true when one was; the pump then runs.
    [[nodiscard]] bool rescue();
    /// Lets go of the descriptor and closes the socket; libzmq still sends what it has, for kLinger at most.
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
