#pragma once

#include <functional>
#include <memory>

#include "node/network/asio.hpp"
#include "node/network/tcp_connection.hpp"

namespace unlearn::network {

/// Tells that bytes arrive on TCP connections that belong to libzmq, so that nobody needs to look at idle
/// ones.
///
/// It sleeps in the kernel: one epoll descriptor, edge-triggered, for all connections of a transport. When
/// libzmq has read everything before we look, we may not be told; a connection that receives faster than that
/// leaves bytes in the kernel and is always noticed, and a slow one can wait for the next look.
class TcpActivity : public std::enable_shared_from_this<TcpActivity> {
  public:
    /// Called kWatchInterval after the first bytes, and not again before more arrive.
    using Callback = std::function<void()>;

    /// Throws boost::system::system_error when there is no descriptor left.
    [[nodiscard]] static std::shared_ptr<TcpActivity> start(asio::io_context& io, Callback callback);
    /// The kernel takes the connection out by itself when libzmq closes it.
    void add(const TcpConnection& connection);
    /// Calls back after kWatchInterval, as if bytes had arrived.
    void look_soon();
    /// No callback after this.
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
