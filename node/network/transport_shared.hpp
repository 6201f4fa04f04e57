#pragma once

#include <memory>
#include <set>
#include <unordered_map>

#include <zmq.hpp>

#include "node/network/access_list.hpp"
#include "node/network/asio.hpp"
#include "node/network/resolver.hpp"
#include "node/network/tcp_activity.hpp"
#include "node/network/transport.hpp"
#include "protocol/identity.hpp"

namespace unlearn::network {

class DealerConnection;

/// What the connections of one ZmqTransport share. It lives until the last of them is freed.
struct TransportShared {
    asio::io_context& io;
    zmq::context_t& context;
    Resolver& resolver;
    const protocol::Identity& identity;
    TransportHandler* handler = nullptr;
    std::shared_ptr<AccessList> access;
    std::shared_ptr<TcpActivity> activity;  ///< null before `start`
    TrafficCounters traffic;
    bool running = false;
    /// Dialled connections that are up.
    std::unordered_map<SessionId, DealerConnection*> dialled_sessions;
    /// Dialled connections that we have ended and that are still sending what was queued.
    std::set<std::shared_ptr<DealerConnection>> closing;
};

}  // namespace unlearn::network
