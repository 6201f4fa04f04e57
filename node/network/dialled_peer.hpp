#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "node/network/dealer_connection.hpp"
#include "node/network/resolver.hpp"
#include "protocol/endpoint.hpp"

namespace unlearn::network {

/// A neighbour that we dial. Looks up its host, tries the addresses one after the other, and starts again
/// after a growing pause when none of them answers or a connection is lost.
class DialledPeer : public DealerConnection::Owner, public std::enable_shared_from_this<DialledPeer> {
  public:
    DialledPeer(TransportShared& shared, protocol::PeerAddress peer);
    ~DialledPeer() override { close(); }

    [[nodiscard]] const protocol::PeerAddress& peer() const { return peer_; }
    /// Returns the session of the connection that is up now.
    [[nodiscard]] std::optional<SessionId> session() const;
    void connect();
    void close();
    [[nodiscard]] bool closed() const { return closed_; }

    void connection_up(SessionId session) override;
    void connection_lost(SessionId session) override;
    void connection_malformed(SessionId session, std::string reason) override;

  private:
    void take_addresses(const Resolver::Answer& answer);
    void try_next_address();
    void drop_connection();
    void connect_later();

    TransportShared& shared_;
    protocol::PeerAddress peer_;
    std::optional<protocol::Endpoint> endpoint_;  ///< nothing when the text is not a valid endpoint
    std::shared_ptr<Resolver::Question> question_;
    std::deque<std::string> addresses_;  ///< addresses of the host that were not tried yet
    std::string problem_;                ///< why the last look-up failed; empty when it succeeded
    std::shared_ptr<DealerConnection> connection_;
    asio::steady_timer timer_;
    std::chrono::milliseconds pause_;
    std::chrono::steady_clock::time_point up_since_{};
    bool closed_ = false;
};

}  // namespace unlearn::network
