#pragma once

#include <functional>
#include <memory>

#include "node/network/asio.hpp"
#include "node/network/tcp_connection.hpp"

namespace unlearn::network {

/// Reports that bytes arrive on TCP connections that belong to libzmq, so that idle connections need no
/// checks.
///
/// It sleeps in the kernel on one edge-triggered epoll descriptor for all connections of a transport. When
/// libzmq has read everything before we look, the bytes may go unreported. A connection that receives faster
/// than libzmq reads leaves bytes in the kernel and is always noticed; a slow one can wait for the next
/// regular check.
class TcpActivity : public std::enable_shared_from_this<TcpActivity> {
  public:
    /// Called kWatchInterval after the first bytes arrive, and not again before more arrive.
    using Callback = std::function<void()>;

    /// Starts to watch. Throws boost::system::system_error when there is no descriptor left.
    [[nodiscard]] static std::shared_ptr<TcpActivity> start(asio::io_context& io, Callback callback);
    /// Adds a connection. The kernel removes it when libzmq closes it.
    void add(const TcpConnection& connection);
    /// Calls back after kWatchInterval, as if bytes had arrived.
    void look_soon();
    /// The callback is not called after this.
    void stop();

  private:
    TcpActivity(asio::io_context& io, int descriptor, Callback callback);
    void wait();

    Callback callback_;
    asio::posix::stream_descriptor descriptor_;
    asio::steady_timer pause_;
    bool waiting_ = false;
    bool looking_ = false;
    bool stopped_ = false;
};

}  // namespace unlearn::network
