#pragma once

#include <map>
#include <optional>
#include <string>

#include "protocol/engine/context.hpp"

namespace unlearn::protocol {

struct Peer {
    CurvePublicKey key;  ///< of its id; it costs an inversion to compute
    std::optional<std::string> endpoint;
    PeerSource source = PeerSource::config;
    bool former = false;  ///< removed; only our own exit still concerns it
};

/// Owns the list of peers that this node knows, and so decides which keys may connect.
class Peers {
  public:
    explicit Peers(EngineContext& context) : context_(context) {}

    /// Before this nobody may connect.
    void start() { started_ = true; }
    [[nodiscard]] bool started() const { return started_; }

    void add(const NodeId& peer, std::optional<std::string> endpoint, PeerSource source, bool former = false);
    void set_former(const NodeId& peer, bool former) { peers_.at(peer).former = former; }

    [[nodiscard]] const Peer* find(const NodeId& peer) const;
    [[nodiscard]] const std::map<NodeId, Peer>& all() const { return peers_; }
    /// Known and not removed.
    [[nodiscard]] bool is_neighbour(const NodeId& peer) const;
    [[nodiscard]] bool is_former(const NodeId& peer) const;
    /// Whether the network key signed `signed_by` for `member`.
    [[nodiscard]] bool shows_membership(const NodeId& member,
                                        const std::optional<SignedBytes>& signed_by) const;

    /// Tells the transport who may connect now.
    void allow() const;

  private:
    EngineContext& context_;
    std::map<NodeId, Peer> peers_;
    bool started_ = false;
};

}  // namespace unlearn::protocol
