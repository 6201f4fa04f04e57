#include "node/network/socket_pump.hpp"

#include <algorithm>

#include "node/network/limits.hpp"
#include "node/network/zmq_socket.hpp"

namespace unlearn::network {

SocketPump::SocketPump(asio::io_context& io, zmq::socket_t socket, PumpClient& client)
    : client_(client),
      socket_(std::move(socket)),
      io_(io),
      descriptor_(io, socket_.get(zmq::sockopt::fd)),
      retry_(io),
      retry_after_(kRetryFirst) {}

void SocketPump::request() {
    if (closed_ || requested_) return;
    requested_ = true;
    asio::post(io_, [this, keep = client_.shared_from_this()] {
        requested_ = false;
        run();
    });
}

bool SocketPump::rescue() {
    if (closed_ || requested_ || !lost_a_wake(socket_, descriptor_.native_handle())) return false;
    request();
    return true;
}

void SocketPump::close() {
    if (closed_) return;
    closed_ = true;
    retry_.cancel();
    descriptor_.release();  // libzmq closes it
    socket_.close();
}

void SocketPump::run() {
    if (closed_) return;
    FlushResult flushed;
    bool progressed = false;
    bool more = true;
    for (int round = 0; more && round < kPumpRounds; ++round) {
        client_.drain();
        if (closed_) return;
        flushed = client_.flush();
        if (closed_) return;
        progressed |= flushed.progressed;
        more = (events_of(socket_) & ZMQ_POLLIN) != 0 || flushed.progressed;
    }
    if (more) {
        request();
        return;
    }
    wait();
    if (flushed.blocked) retry_later(progressed);
}

void SocketPump::wait() {
    if (waiting_) return;
    waiting_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this, keep = client_.shared_from_this()](const boost::system::error_code& error) {
                               waiting_ = false;
                               if (!error) run();
                           });
}

void SocketPump::retry_later(bool progressed) {
    if (progressed) retry_after_ = kRetryFirst;
    if (retrying_) return;
    retrying_ = true;
    retry_.expires_after(retry_after_);
    retry_after_ = std::min(retry_after_ * 2, kRetryMost);
    retry_.async_wait([this, keep = client_.shared_from_this()](const boost::system::error_code& error) {
        retrying_ = false;
        if (!error) run();
    });
}

}  // namespace unlearn::network
