#include "node/network/tcp_activity.hpp"

#include <array>
#include <cerrno>

#include <sys/epoll.h>

#include "node/network/limits.hpp"

namespace unlearn::network {

std::shared_ptr<TcpActivity> TcpActivity::start(asio::io_context& io, Callback callback) {
    const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0)
        throw boost::system::system_error(errno, boost::system::system_category(), "epoll_create1");
    std::shared_ptr<TcpActivity> made(new TcpActivity(io, descriptor, std::move(callback)));
    made->wait();
    return made;
}

TcpActivity::TcpActivity(asio::io_context& io, int descriptor, Callback callback)
    : callback_(std::move(callback)), descriptor_(io, descriptor), pause_(io) {}

void TcpActivity::add(const TcpConnection& connection) {
    if (!stopped_) connection.report_input_to(descriptor_.native_handle());
}

void TcpActivity::look_soon() {
    if (looking_ || stopped_) return;
    looking_ = true;
    pause_.expires_after(kWatchInterval);
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (error || self->stopped_) return;
        self->looking_ = false;
        // Read the events before the callback, so that bytes that arrive during it are reported again.
        std::array<epoll_event, 64> events{};
        while (::epoll_wait(self->descriptor_.native_handle(), events.data(), events.size(), 0) ==
               static_cast<int>(events.size())) {
        }
        self->callback_();
        if (!self->stopped_ && !self->waiting_) self->wait();
    });
}

void TcpActivity::stop() {
    if (stopped_) return;
    stopped_ = true;
    pause_.cancel();
    descriptor_.close();
}

void TcpActivity::wait() {
    waiting_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                               if (error || self->stopped_) return;
                               self->waiting_ = false;
                               self->look_soon();
                           });
}

}  // namespace unlearn::network
