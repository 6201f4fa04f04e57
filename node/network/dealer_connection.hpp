#pragma once

#include <memory>

#include "node/network/outgoing.hpp"
#include "node/network/socket_monitor.hpp"
#include "node/network/socket_pump.hpp"
#include "node/network/transport_shared.hpp"

namespace unlearn::network {

/// One DEALER with one connection to one peer: it connects, is up, is lost, and is never used again. A
/// session is exactly the life of such a connection.
class DealerConnection : public PumpClient {
  public:
    /// Called on the io_context's thread, at most once each, and not after `close`.
    class Owner {
      public:
        virtual ~Owner() = default;
        virtual void connection_up(SessionId session) = 0;
        /// Failed before it was up, or lost afterwards.
        virtual void connection_lost(SessionId session) = 0;
        virtual void connection_malformed(SessionId session, std::string reason) = 0;
    };

    /// Starts to connect. Throws zmq::error_t when the endpoint is not valid.
    [[nodiscard]] static std::shared_ptr<DealerConnection> open(TransportShared& shared,
                                                                const protocol::PeerAddress& peer,
                                                                Owner& owner);

    [[nodiscard]] const protocol::NodeId& peer() const { return peer_; }
    [[nodiscard]] SessionId session() const { return session_; }
    [[nodiscard]] bool is_up() const { return up_; }
    /// Queues a message; one too many ends the connection as malformed, a moment later.
    void send(Frames frames, Priority priority);
    /// Looks for a message that never ends.
    void watch();
    /// @return true when a wake had been lost.
    [[nodiscard]] bool rescue();
    /// Sends what it can now. @return true when nothing but bulk is left.
    bool flush_before_stop();
    /// Delivers nothing more, sends for kCloseGrace at most what is queued and not bulk, and closes.
    void close_gently();
    void close();

    void drain() override;
    FlushResult flush() override;

  private:
    DealerConnection(TransportShared& shared, const protocol::PeerAddress& peer, Owner& owner);
    void on_event(const ConnectionEvent& event);
    void on_established();
    void on_lost();
    void give_up_later(std::string reason);

    TransportShared& shared_;
    Owner& owner_;
    protocol::NodeId peer_;
    protocol::CurvePublicKey key_;
    SessionId session_ = next_session_id();
    SocketPump pump_;
    std::shared_ptr<SocketMonitor> monitor_;
    asio::steady_timer deadline_;  ///< to be up, and later to be closed
    std::optional<TcpConnection> tcp_;
    std::optional<Outgoing> outgoing_;
    std::uint64_t delivered_ = kHandshakeFromListener;
    bool up_ = false;
    bool muted_ = false;  ///< we have ended it: deliver nothing
};

}  // namespace unlearn::network
