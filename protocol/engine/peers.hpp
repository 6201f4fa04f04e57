#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "protocol/engine/context.hpp"

namespace unlearn::protocol {

/// A peer that this node knows.
struct Peer {
    CurvePublicKey key;  ///< belongs to its id; kept because computing it takes an inversion
    std::optional<std::string> endpoint;
    PeerSource source = PeerSource::config;
    bool former = false;      ///< removed by the user; only our own exit still concerns it
    std::uint64_t added = 0;  ///< rises in the order in which peers were added
};

/// Owns the list of peers that this node knows, and thereby decides which keys may connect.
class Peers {
  public:
    explicit Peers(EngineContext& context) : context_(context) {}

    /// No peer may connect before this call.
    void start() { started_ = true; }
    [[nodiscard]] bool started() const { return started_; }

    /// Adds a peer, or replaces what is known of it. One that was removed before comes last in the order.
    void add(const NodeId& peer, std::optional<std::string> endpoint, PeerSource source, bool former = false);
    void set_former(const NodeId& peer, bool former) { peers_.at(peer).former = former; }

    /// @return nullptr for an unknown peer
    [[nodiscard]] const Peer* find(const NodeId& peer) const;
    [[nodiscard]] const std::map<NodeId, Peer>& all() const { return peers_; }
    /// True for a peer that is known and was not removed.
    [[nodiscard]] bool is_neighbour(const NodeId& peer) const;
    /// True for a peer that is known and was removed.
    [[nodiscard]] bool is_former(const NodeId& peer) const;

    /// Tells the transport which keys may connect now. Does nothing before the start.
    void allow() const;

  private:
    EngineContext& context_;
    std::map<NodeId, Peer> peers_;
    bool started_ = false;
    std::uint64_t last_added_ = 0;
};

}  // namespace unlearn::protocol
