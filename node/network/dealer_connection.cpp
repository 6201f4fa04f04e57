#include "node/network/dealer_connection.hpp"

#include "node/network/limits.hpp"

namespace unlearn::network {
namespace {

constexpr int kWatchedEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                               ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

}  // namespace

DealerConnection::DealerConnection(TransportShared& shared, const protocol::PeerAddress& peer, Owner& owner)
    : shared_(shared),
      owner_(owner),
      peer_(peer.id),
      key_(peer.id.curve_key()),
      pump_(shared.io, make_dealer(shared.context, shared.identity, peer.id), *this),
      deadline_(shared.io) {}

std::shared_ptr<DealerConnection> DealerConnection::open(TransportShared& shared,
                                                         const protocol::PeerAddress& peer, Owner& owner) {
    std::shared_ptr<DealerConnection> made(new DealerConnection(shared, peer, owner));
    made->monitor_ =
        SocketMonitor::start(shared.io, shared.context, made->pump_.socket(), kWatchedEvents,
                             [raw = made.get()](const ConnectionEvent& event) { raw->on_event(event); });
    try {
        // IPv6 is set only where it is needed, because a kernel may not have it.
        made->pump_.socket().set(zmq::sockopt::ipv6, peer.endpoint.find('[') != std::string::npos ? 1 : 0);
        made->pump_.socket().connect(peer.endpoint);
    } catch (const zmq::error_t&) {
        made->close();  // the monitor must stop before the socket that it watches
        throw;
    }
    made->deadline_.expires_after(kConnectTimeout + kHandshakeTimeout);
    made->deadline_.async_wait([made](const boost::system::error_code& error) {
        if (!error && !made->up_) made->on_lost();
    });
    return made;
}

void DealerConnection::on_event(const ConnectionEvent& event) {
    switch (event.event) {
        case ZMQ_EVENT_CONNECTED:
            tcp_ = TcpConnection::at(event.value);
            if (tcp_) shared_.activity->add(*tcp_);
            break;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            on_established();
            break;
        default:
            on_lost();
            break;
    }
}

void DealerConnection::on_established() {
    if (up_ || muted_) return;
    up_ = true;
    deadline_.cancel();
    shared_.dialled_sessions.emplace(session_, this);
    outgoing_.emplace(tcp_);
    shared_.traffic.handshake_bytes_sent += kHandshakeFromDialler;
    shared_.traffic.handshake_bytes_received += kHandshakeFromListener;
    owner_.connection_up(session_);
    pump_.request();
}

void DealerConnection::on_lost() {
    if (muted_) return close();
    // Messages that came before the end still count: one may be an exit.
    for (int batch = 0; up_ && !pump_.closed() && batch <= kReceiveHighWater; ++batch)
        drain();
    if (!pump_.closed()) owner_.connection_lost(session_);
}

void DealerConnection::drain() {
    for (int count = 0; count < kDrainBatch && !pump_.closed() && up_; ++count) {
        auto incoming = receive(pump_.socket(), false);
        if (!incoming) return;
        if (muted_) continue;
        delivered_ += incoming->wire_bytes;
        if (incoming->problem) {
            owner_.connection_malformed(session_, *incoming->problem);
            return;
        }
        shared_.traffic.count_received(incoming->frames);
        shared_.handler->on_message(session_, key_, std::move(incoming->frames));
    }
}

FlushResult DealerConnection::flush() {
    if (!outgoing_) return {};
    return outgoing_->flush(pump_.socket(), nullptr, shared_.traffic);
}

void DealerConnection::send(Frames frames, Priority priority) {
    if (!outgoing_ || pump_.closed() || muted_) return;
    if (!outgoing_->queue().push(std::move(frames), priority)) {
        outgoing_->queue().clear();
        give_up_later("does not read what is sent: queue full");
        return;
    }
    pump_.request();
}

void DealerConnection::watch() {
    const auto bytes = tcp_ ? tcp_->bytes() : std::nullopt;
    if (bytes && bytes->received > delivered_ + kMaxUndelivered) {
        tcp_->shut_down();
        give_up_later("message that does not end");
    }
}

bool DealerConnection::rescue() {
    const bool pump = pump_.rescue();
    return (monitor_ && monitor_->rescue()) || pump;
}

/// Does not report the problem at once, because the caller is in the middle of a call into the transport.
void DealerConnection::give_up_later(std::string reason) {
    asio::post(shared_.io, [this, keep = shared_from_this(), reason = std::move(reason)] {
        if (!pump_.closed() && !muted_) owner_.connection_malformed(session_, reason);
    });
}

bool DealerConnection::flush_before_stop() {
    if (!up_ || pump_.closed()) return true;
    outgoing_->queue().drop_bulk();
    [[maybe_unused]] const int events = events_of(pump_.socket());
    flush();
    return outgoing_->queue().empty();
}

void DealerConnection::close_gently() {
    shared_.dialled_sessions.erase(session_);
    if (muted_ || flush_before_stop()) return close();
    muted_ = true;
    const auto self = std::static_pointer_cast<DealerConnection>(shared_from_this());
    shared_.closing.insert(self);
    deadline_.expires_after(kCloseGrace);
    deadline_.async_wait([self](const boost::system::error_code& error) {
        if (!error) self->close();
    });
}

void DealerConnection::close() {
    if (pump_.closed()) return;
    shared_.dialled_sessions.erase(session_);
    shared_.closing.erase(std::static_pointer_cast<DealerConnection>(shared_from_this()));
    deadline_.cancel();
    if (monitor_) monitor_->stop();
    pump_.close();
}

}  // namespace unlearn::network
