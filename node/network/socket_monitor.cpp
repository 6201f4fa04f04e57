#include "node/network/socket_monitor.hpp"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "node/network/zmq_socket.hpp"

namespace unlearn::network {
namespace {

std::string fresh_endpoint() {
    static std::atomic<std::uint64_t> number{0};
    return "inproc://unlearn-monitor-" + std::to_string(++number);
}

/// An event is two frames: number and value, then the address, which we do not use.
std::optional<ConnectionEvent> read_event(zmq::socket_t& reader) {
    zmq::message_t part;
    while (zmq_msg_recv(part.handle(), reader.handle(), ZMQ_DONTWAIT) < 0) {
        if (errno != EINTR) return std::nullopt;
    }
    ConnectionEvent read;
    std::uint16_t event = 0;
    std::int32_t value = 0;
    if (part.size() == sizeof(event) + sizeof(value)) {
        std::memcpy(&event, part.data(), sizeof(event));
        std::memcpy(&value, part.data<char>() + sizeof(event), sizeof(value));
        read = {event, value};
    }
    while (part.more() && zmq_msg_recv(part.handle(), reader.handle(), ZMQ_DONTWAIT) >= 0) {
    }
    return read;
}

}  // namespace

std::shared_ptr<SocketMonitor> SocketMonitor::start(asio::io_context& io, zmq::context_t& context,
                                                    zmq::socket_t& watched, int events, Callback callback) {
    const std::string endpoint = fresh_endpoint();
    zmq::socket_t reader(context, zmq::socket_type::pair);
    reader.set(zmq::sockopt::linger, 0);
    reader.set(zmq::sockopt::rcvhwm, 0);  // a full queue would block libzmq's own thread
    if (zmq_socket_monitor(watched.handle(), endpoint.c_str(), events) != 0) throw zmq::error_t();
    reader.connect(endpoint);
    std::shared_ptr<SocketMonitor> monitor(
        new SocketMonitor(io, std::move(reader), watched, std::move(callback)));
    asio::post(io, [monitor] { monitor->run(); });
    return monitor;
}

SocketMonitor::SocketMonitor(asio::io_context& io, zmq::socket_t reader, zmq::socket_t& watched,
                             Callback callback)
    : io_(io),
      reader_(std::move(reader)),
      watched_(watched),
      callback_(std::move(callback)),
      descriptor_(io, reader_.get(zmq::sockopt::fd)) {}

bool SocketMonitor::rescue() {
    if (stopped_ || !lost_a_wake(reader_, descriptor_.native_handle())) return false;
    asio::post(io_, [self = shared_from_this()] { self->run(); });
    return true;
}

void SocketMonitor::stop() {
    if (stopped_) return;
    stopped_ = true;
    // Stop the source first, because it would wait for ever for a reader that is gone.
    zmq_socket_monitor(watched_.handle(), nullptr, 0);
    descriptor_.release();
    reader_.close();
}

void SocketMonitor::run() {
    while (!stopped_) {
        if (const auto event = read_event(reader_)) {
            callback_(*event);
        } else if ((events_of(reader_) & ZMQ_POLLIN) == 0) {
            break;
        }
    }
    if (stopped_ || waiting_) return;
    waiting_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                               self->waiting_ = false;
                               if (!error) self->run();
                           });
}

}  // namespace unlearn::network
