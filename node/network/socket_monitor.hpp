#pragma once

#include <functional>
#include <memory>

#include <zmq.hpp>

#include "node/network/asio.hpp"

namespace unlearn::network {

/// An event that libzmq reports about a connection of a socket.
struct ConnectionEvent {
    int event = 0;  ///< one ZMQ_EVENT_...
    int value = 0;  ///< for most events, the descriptor of the TCP connection
};

/// Reports the connection events of one socket on an io_context, in order. It must be stopped before that
/// socket is closed.
class SocketMonitor : public std::enable_shared_from_this<SocketMonitor> {
  public:
    using Callback = std::function<void(const ConnectionEvent&)>;

    /// Starts to report. Call it before the socket is bound or connected. `events` is a mask of ZMQ_EVENT_*
    /// values. Throws zmq::error_t.
    [[nodiscard]] static std::shared_ptr<SocketMonitor> start(asio::io_context& io, zmq::context_t& context,
                                                              zmq::socket_t& watched, int events,
                                                              Callback callback);
    ~SocketMonitor() { stop(); }

    /// Works like SocketPump::rescue.
    [[nodiscard]] bool rescue();
    /// The callback is not called after this.
    void stop();

  private:
    SocketMonitor(asio::io_context& io, zmq::socket_t reader, zmq::socket_t& watched, Callback callback);
    void run();

    asio::io_context& io_;
    zmq::socket_t reader_;
    zmq::socket_t& watched_;
    Callback callback_;
    asio::posix::stream_descriptor descriptor_;
    bool waiting_ = false;
    bool stopped_ = false;
};

}  // namespace unlearn::network
