#include "node/network/zmq_transport.hpp"

#include <algorithm>
#include <cassert>
#include <thread>
#include <vector>

#include "node/network/dialled_peer.hpp"
#include "node/network/limits.hpp"
#include "node/network/router_listener.hpp"

namespace unlearn::network {

ZmqTransport::ZmqTransport(asio::io_context& io, ZmqContext& context, const protocol::Identity& identity,
                           std::optional<std::string> endpoint)
    : context_(context),
      identity_(identity),
      endpoint_(std::move(endpoint)),
      shared_(new TransportShared{io,
                                  context.get(),
                                  context.resolver(),
                                  identity,
                                  nullptr,
                                  std::make_shared<AccessList>(),
                                  nullptr,
                                  {},
                                  false,
                                  {},
                                  {}}),
      safety_timer_(std::make_shared<asio::steady_timer>(io)) {}

ZmqTransport::~ZmqTransport() {
    stop();
}

protocol::Result<void> ZmqTransport::start(TransportHandler& handler) {
    assert(!shared_->running);
    shared_->handler = &handler;
    try {
        shared_->activity = TcpActivity::start(shared_->io, [this] { watch(); });
    } catch (const boost::system::system_error& error) {
        return protocol::fail(protocol::ErrorCode::internal, error.what());
    }
    if (endpoint_) {
        context_.zap().ask(zap_domain_of(identity_.id()), shared_->access);
        auto listener = RouterListener::open(*shared_, *endpoint_);
        if (!listener) {
            context_.zap().forget(zap_domain_of(identity_.id()));
            shared_->activity->stop();
            return tl::unexpected(listener.error());
        }
        listener_ = std::move(*listener);
    }
    shared_->running = true;
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

/// Closes the peer at once and frees it a little later, because it may be the one that is calling us.
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
    const auto struck_off = shared_->access->allow(keys);
    if (!struck_off.empty()) stop_dialling(struck_off);
    if (listener_) listener_->end_unlisted();
}

void ZmqTransport::stop_dialling(std::span<const protocol::CurvePublicKey> keys) {
    std::vector<protocol::NodeId> over;
    for (const auto& [id, peer] : dialled_)
        if (std::ranges::find(keys, id.curve_key()) != keys.end()) over.push_back(id);
    for (const protocol::NodeId& id : over) {
        const auto session = dialled_.at(id)->session();
        forget_peer(id);
        if (!session) continue;
        asio::post(shared_->io, [shared = shared_, session] {
            if (shared->running) shared->handler->on_link_down(*session);
        });
    }
}

void ZmqTransport::admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most) {
    const bool was_on = shared_->access->provisional_time().has_value();
    shared_->access->admit_provisionally(at_most, for_at_most);
    if (!listener_) return;
    if (was_on && !shared_->access->provisional_time())
        listener_->end_silent_connections(std::chrono::steady_clock::now());
    listener_->meet_deadlines();
}

std::optional<std::string> ZmqTransport::bound_endpoint() const {
    return listener_ ? std::optional(listener_->endpoint()) : std::nullopt;
}

TrafficCounters ZmqTransport::traffic() const {
    TrafficCounters traffic = shared_->traffic;
    traffic.provisional = shared_->access->counters();
    return traffic;
}

void ZmqTransport::watch() {
    const auto shared = shared_;
    if (!shared->running) return;
    if (const auto listener = listener_) listener->watch();
    // The handler may have stopped us, or even freed us.
    if (!shared->running) return;
    for (const auto& [session, connection] : shared->dialled_sessions)
        connection->watch();
}

void ZmqTransport::watch_later() {
    safety_timer_->expires_after(kSafetyInterval);
    safety_timer_->async_wait([this, shared = shared_](const boost::system::error_code& error) {
        if (error || !shared->running) return;
        if (listener_) {
            shared->traffic.rescued_wakes += listener_->rescue() ? 1 : 0;
            listener_->meet_deadlines();
        }
        for (const auto& [session, connection] : shared->dialled_sessions)
            shared->traffic.rescued_wakes += connection->rescue() ? 1 : 0;
        watch();
        if (shared->running) watch_later();
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
    safety_timer_->cancel();
    shared_->activity->stop();
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
