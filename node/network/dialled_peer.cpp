#include "node/network/dialled_peer.hpp"

#include <algorithm>

#include "node/network/limits.hpp"

namespace unlearn::network {

DialledPeer::DialledPeer(TransportShared& shared, protocol::PeerAddress peer)
    : shared_(shared), peer_(std::move(peer)), timer_(shared.io), pause_(kRedialFirst) {
    // A peer that was stored long ago may have an endpoint that would not be accepted today.
    if (auto endpoint = protocol::parse_endpoint(peer_.endpoint, protocol::EndpointUse::dial))
        endpoint_ = std::move(*endpoint);
}

std::optional<SessionId> DialledPeer::session() const {
    return connection_ && connection_->is_up() ? std::optional(connection_->session()) : std::nullopt;
}

void DialledPeer::connect() {
    if (!addresses_.empty()) return try_next_address();
    if (!endpoint_) return;
    question_ = shared_.resolver.ask(endpoint_->host, shared_.io,
                                     [weak = weak_from_this()](const Resolver::Answer& answer) {
                                         const auto self = weak.lock();
                                         if (self && !self->closed_) self->take_addresses(answer);
                                     });
}

void DialledPeer::take_addresses(const Resolver::Answer& answer) {
    question_.reset();
    const bool is_news = !answer.problem.empty() && answer.problem != problem_;
    problem_ = answer.problem;
    addresses_.assign(answer.addresses.begin(), answer.addresses.end());
    if (!addresses_.empty()) return try_next_address();
    connect_later();
    if (is_news) shared_.handler->on_unresolved(peer_.id, problem_);
}

void DialledPeer::try_next_address() {
    const std::string address = std::move(addresses_.front());
    addresses_.pop_front();
    const bool is_ipv6 = address.find(':') != std::string::npos;
    const std::string numeric = protocol::Endpoint{address, endpoint_->port, is_ipv6}.text();
    try {
        connection_ = DealerConnection::open(shared_, {peer_.id, numeric}, *this);
    } catch (const zmq::error_t&) {
        connect_later();  // out of descriptors, for example
    }
}

void DialledPeer::close() {
    if (closed_) return;
    closed_ = true;
    timer_.cancel();
    if (question_) question_->cancel();
    drop_connection();
}

void DialledPeer::drop_connection() {
    if (!connection_) return;
    connection_->close_gently();
    // The connection may be the one that is calling us, so it lives until the call is over.
    asio::post(shared_.io, [done = std::move(connection_)] {});
    connection_.reset();
}

void DialledPeer::connect_later() {
    if (addresses_.empty()) {
        timer_.expires_after(pause_);
        pause_ = std::min(pause_ * 2, kRedialMost);
    } else {
        timer_.expires_after(kRedialFirst);
    }
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (!error && self && !self->closed_) self->connect();
    });
}

void DialledPeer::connection_up(SessionId session) {
    up_since_ = std::chrono::steady_clock::now();
    addresses_.clear();  // the next attempt starts with the best one
    shared_.handler->on_link_up(session, peer_.id);
}

void DialledPeer::connection_lost(SessionId session) {
    const bool was_up = connection_->is_up();
    drop_connection();
    if (was_up && std::chrono::steady_clock::now() - up_since_ >= kGoodConnection) pause_ = kRedialFirst;
    connect_later();
    if (was_up) shared_.handler->on_link_down(session);
}

void DialledPeer::connection_malformed(SessionId session, std::string reason) {
    close();
    shared_.handler->on_malformed(session, peer_.id.curve_key(), std::move(reason));
}

}  // namespace unlearn::network
