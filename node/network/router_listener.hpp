#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "node/network/outgoing.hpp"
#include "node/network/socket_monitor.hpp"
#include "node/network/socket_pump.hpp"
#include "node/network/transport_shared.hpp"

namespace unlearn::network {

/// The bound ROUTER of a node that can be dialled, and the sessions of the peers that dialled it.
class RouterListener : public PumpClient {
  public:
    /// @return one line that names the endpoint when it cannot be bound.
    [[nodiscard]] static protocol::Result<std::shared_ptr<RouterListener>> open(TransportShared& shared,
                                                                                const std::string& endpoint);

    [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
    /// Ends the sessions of keys that are no longer on the access list.
    void end_unlisted();
    /// Queues a message. A message to an unknown or ended session is dropped.
    void send(SessionId session, Frames frames, Priority priority);
    /// Stops delivering from the session. What was sent to it still has kCloseGrace to go out.
    void close_session(SessionId session);
    /// Ends connections that were accepted at or before `accepted_until` and have not brought a message.
    void end_silent_connections(std::chrono::steady_clock::time_point accepted_until);
    /// Drops connections that never finish a message, and notices connections that are gone. Call it while
    /// bytes arrive.
    void watch();
    /// Ends closed sessions, silent connections, and unknown keys whose time is over. Schedules its own next
    /// run. Call it now and then all the same, because the ZAP thread takes slots.
    void meet_deadlines();
    /// Checks whether a wake-up was lost. @return true when one was.
    [[nodiscard]] bool rescue();
    bool flush_before_stop();
    void close();

    void drain() override;
    FlushResult flush() override;

  private:
    using Clock = std::chrono::steady_clock;
    /// A TCP connection from the moment it is accepted. Stored by its socket cookie.
    struct Connection {
        TcpConnection tcp;
        Clock::time_point accepted_at;
        std::uint64_t delivered = kHandshakeFromDialler;
        SessionId session = 0;  ///< 0 until the first message has come
    };
    struct Session {
        RoutingId routing_id;
        std::string user_id;
        protocol::CurvePublicKey key;
        std::uint64_t cookie = 0;
        Outgoing outgoing;
        bool ended = false;  ///< closed or dropped by us: nothing more is delivered
        std::optional<Clock::time_point> shut_down_at;
        std::optional<Clock::time_point> forget_at;
    };

    RouterListener(TransportShared& shared, zmq::socket_t socket);
    void on_event(const ConnectionEvent& event);
    void on_accepted(int descriptor);
    void make_room();
    void take(Incoming incoming);
    Session* session_of(const Incoming& incoming, SessionId& id);
    void limit_sessions_of(const protocol::CurvePublicKey& key);
    void drop(SessionId id, Session& session, std::string reason);
    void cut(Session& session);
    void drop_later(SessionId id, std::string reason);
    void shut_down(const Session& session);
    void end_strangers(Clock::time_point now);
    void end_due_sessions(Clock::time_point now);
    [[nodiscard]] bool is_stranger(const Connection& connection) const;
    [[nodiscard]] std::chrono::milliseconds first_message_time() const;
    [[nodiscard]] std::optional<Clock::time_point> next_deadline() const;
    void meet_deadlines_by(Clock::time_point when);

    TransportShared& shared_;
    SocketPump pump_;
    std::shared_ptr<SocketMonitor> monitor_;
    std::string endpoint_;
    int port_ = 0;
    std::unordered_map<std::uint64_t, Connection> connections_;
    std::unordered_map<SessionId, Session> sessions_;
    std::unordered_map<RoutingId, SessionId> by_routing_id_;
    std::set<SessionId> with_queue_;
    asio::steady_timer deadline_timer_;
    std::optional<Clock::time_point> deadline_;
};

}  // namespace unlearn::network
