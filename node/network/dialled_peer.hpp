#pragma once

#include <memory>

#include "node/network/dealer_connection.hpp"

namespace unlearn::network {

/// A neighbour that we dial: connects, and connects again with a growing pause when a connection fails or is
/// lost.
class DialledPeer : public DealerConnection::Owner, public std::enable_shared_from_this<DialledPeer> {
  public:
    DialledPeer(TransportShared& shared, protocol::PeerAddress peer);
    ~DialledPeer() override { close(); }

    [[nodiscard]] const protocol::PeerAddress& peer() const { return peer_; }
    /// Of the connection that is up now.
    [[nodiscard]] std::optional<SessionId> session() const;
    void connect();
    void close();
    [[nodiscard]] bool closed() const { return closed_; }

    void connection_up(SessionId session) override;
    void connection_lost(SessionId session) override;
    void connection_malformed(SessionId session, std::string reason) override;

  private:
    void drop_connection();
    void connect_later();

    TransportShared& shared_;
    protocol::PeerAddress peer_;
    std::shared_ptr<DealerConnection> connection_;
    asio::steady_timer timer_;
    std::chrono::milliseconds pause_;
    std::chrono::steady_clock::time_point up_since_{};
    bool closed_ = false;
};

}  // namespace unlearn::network
