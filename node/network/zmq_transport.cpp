#include "node/network/zmq_transport.hpp"

#include <cassert>
#include <thread>

#include "node/network/dialled_peer.hpp"
#include "node/network/limits.hpp"
#include "node/network/router_listener.hpp"

namespace unlearn::network {

ZmqTransport::ZmqTransport(asio::io_context& io, ZmqContext& context, const protocol::Identity& identity,
                           std::optional<std::string> endpoint)
    : context_(context),
      identity_(identity),
      endpoint_(std::move(endpoint)),
      shared_(new TransportShared{io, context.get(), identity, nullptr, {}, false, {}, {}}),
      watch_timer_(std::make_shared<asio::steady_timer>(io)) {}

ZmqTransport::~ZmqTransport() {
    stop();
}

protocol::Result<void> ZmqTransport::start(TransportHandler& handler) {
    assert(!shared_->running);
    shared_->handler = &handler;
    if (endpoint_) {
        auto listener = RouterListener::open(*shared_, *endpoint_);
        if (!listener) return tl::unexpected(listener.error());
        listener_ = std::move(*listener);
    }
    shared_->running = true;
    allow(std::vector(allowed_));
    watch_later();
    return {};
}

void ZmqTransport::dial(const protocol::PeerAddress& peer) {
    if (!shared_->running) return;
    if (const auto it = dialled_.find(peer.id); it != dialled_.end()) {
        if (!it->second->closed() && it->second->peer().endpoint == peer.endpoint) return;
        forget_peer(peer.id);
    }
    const auto made = std::make_shared<DialledPeer>(*shared_, peer);
    dialled_.emplace(peer.id, made);
    made->connect();
}

void ZmqTransport::hang_up(const protocol::NodeId& peer) {
    forget_peer(peer);
}

/// Closed at once and freed a little later, because it may be the one that is calling us.
void ZmqTransport::forget_peer(const protocol::NodeId& peer) {
    const auto it = dialled_.find(peer);
    if (it == dialled_.end()) return;
    it->second->close();
    asio::post(shared_->io, [done = std::move(it->second), keep = shared_] {});
    dialled_.erase(it);
}

void ZmqTransport::send(SessionId session, Frames frames, Priority priority) {
    assert(!problem_with(frames));
    if (const auto it = shared_->dialled_sessions.find(session); it != shared_->dialled_sessions.end())
        it->second->send(std::move(frames), priority);
    else if (listener_)
        listener_->send(session, std::move(frames), priority);
}

void ZmqTransport::close(SessionId session) {
    if (const auto it = shared_->dialled_sessions.find(session); it != shared_->dialled_sessions.end())
        forget_peer(protocol::NodeId(it->second->peer()));
    else if (listener_)
        listener_->close_session(session);
}

void ZmqTransport::allow(std::span<const protocol::CurvePublicKey> keys) {
    allowed_.assign(keys.begin(), keys.end());
    if (!listener_) return;
    context_.zap().allow(zap_domain_of(identity_.id()), allowed_);
    listener_->allow(allowed_);
}

std::optional<std::string> ZmqTransport::bound_endpoint() const {
    return listener_ ? std::optional(listener_->endpoint()) : std::nullopt;
}

TrafficCounters ZmqTransport::traffic() const {
    return shared_->traffic;
}

void ZmqTransport::watch_later() {
    watch_timer_->expires_after(kWatchInterval);
    watch_timer_->async_wait([this, shared = shared_](const boost::system::error_code& error) {
        if (error || !shared->running) return;
        if (const auto listener = listener_) listener->watch();
        // The handler may have stopped us, or even freed us.
        if (!shared->running) return;
        for (const auto& [session, connection] : shared->dialled_sessions)
            connection->watch();
        watch_later();
    });
}

void ZmqTransport::flush_before_stop() {
    const auto give_up_at = std::chrono::steady_clock::now() + kStopFlush;
    while (std::chrono::steady_clock::now() < give_up_at) {
        bool all_sent = !listener_ || listener_->flush_before_stop();
        for (const auto& [session, connection] : shared_->dialled_sessions)
            all_sent &= connection->flush_before_stop();
        for (const auto& connection : shared_->closing)
            all_sent &= connection->flush_before_stop();
        if (all_sent) return;
        std::this_thread::sleep_for(kRetryFirst);
    }
}

void ZmqTransport::stop() {
    if (!shared_->running) return;
    shared_->running = false;
    watch_timer_->cancel();
    flush_before_stop();
    for (const auto& closing : std::set(shared_->closing))
        closing->close();
    while (!dialled_.empty())
        forget_peer(protocol::NodeId(dialled_.begin()->first));
    for (const auto& closing : std::set(shared_->closing))
        closing->close();
    if (listener_) {
        listener_->close();
        context_.zap().forget(zap_domain_of(identity_.id()));
        asio::post(shared_->io, [done = std::move(listener_), keep = shared_] {});
        listener_.reset();
    }
}

}  // namespace unlearn::network
