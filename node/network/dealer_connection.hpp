#pragma once

#include <memory>

#include "node/network/outgoing.hpp"
#include "node/network/socket_monitor.hpp"
#include "node/network/socket_pump.hpp"
#include "node/network/transport_shared.hpp"

namespace unlearn::network {

/// A DEALER socket with one connection to one peer. It connects once, is up, is lost, and is never used
/// again. A session lasts exactly as long as such a connection.
class DealerConnection : public PumpClient {
  public:
    /// Receives the events of a connection on the io_context's thread: each at most once, and none after
    /// `close`.
    class Owner {
      public:
        virtual ~Owner() = default;
        virtual void connection_up(SessionId session) = 0;
        /// The connection failed before it was up, or was lost afterwards.
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
    /// Queues a message. When the queue is full, the connection ends as malformed a moment later.
    void send(Frames frames, Priority priority);
    /// Ends the connection when the peer sends a message that never ends.
    void watch();
    /// Checks whether a wake-up was lost. @return true when one was.
    [[nodiscard]] bool rescue();
    /// Drops queued bulk and sends what it can now. @return true when nothing is left to send.
    bool flush_before_stop();
    /// Stops delivering, sends what is queued except bulk for at most kCloseGrace, and then closes.
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
    asio::steady_timer deadline_;  ///< when it must be up, later when it is closed
    std::optional<TcpConnection> tcp_;
    std::optional<Outgoing> outgoing_;
    std::uint64_t delivered_ = kHandshakeFromListener;
    bool up_ = false;
    bool muted_ = false;  ///< we have ended it: nothing more is delivered
};

}  // namespace unlearn::network
