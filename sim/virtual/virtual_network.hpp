#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "node/network/transport.hpp"
#include "protocol/identity.hpp"
#include "sim/virtual/virtual_time.hpp"

namespace unlearn::sim::virtual_world {

struct VirtualPeer;
struct VirtualNetworkState;

/// What happens to one message on its way.
struct Fate {
    int copies = 1;                        ///< 0: lost
    protocol::SteadyTime delay{};          ///< beyond what the others take
    bool overtakes = false;                ///< does not wait for those before it
    std::optional<std::uint64_t> flipped;  ///< the bit that is turned over, modulo the message's bits
};

/// A network without sockets in virtual time. Keys and the access list are checked as CURVE and ZAP would;
/// order is kept, except that the more urgent may overtake; whoever owns the network decides on delays,
/// losses and cuts. One thread.
class VirtualNetwork {
  public:
    using Judge = std::function<Fate(const protocol::NodeId& from, const protocol::NodeId& to,
                                     const network::Frames& frames)>;
    /// May change what arrives. @return false when it is not to be delivered after all.
    using Inspector = std::function<bool(const protocol::NodeId& from, const protocol::NodeId& to,
                                         network::Frames& frames)>;
    using Blocked = std::function<bool(const protocol::NodeId& from, const protocol::NodeId& to)>;
    using Latency = std::function<protocol::SteadyTime()>;
    using Awake = std::function<protocol::SteadyTime(const protocol::NodeId& node)>;

    explicit VirtualNetwork(VirtualTime& time);

    /// Of each message; drawn by the owner of the world.
    void set_latency(Latency latency);
    void set_judge(Judge judge);
    /// Sees every message right before it is delivered.
    void set_inspector(Inspector inspector);
    /// Whether nothing passes from one node to another just now. No connection comes up where either
    /// direction is blocked; those that are up stay up and lose what is sent.
    void set_blocked(Blocked blocked);
    /// When a node that stands still goes on; what arrives before waits.
    void set_awake(Awake awake);
    /// The node is gone without a word: nothing that its transport still says goes out.
    void kill(const protocol::NodeId& node);

  private:
    friend class VirtualTransport;
    std::shared_ptr<VirtualNetworkState> state_;
};

class VirtualTransport final : public network::Transport {
  public:
    /// `endpoint` is only a name here; without one the node cannot be dialled.
    VirtualTransport(VirtualNetwork& network, const protocol::NodeId& id,
                     std::optional<std::string> endpoint);
    ~VirtualTransport() override;

    [[nodiscard]] protocol::Result<void> start(network::TransportHandler& handler) override;
    void dial(const protocol::PeerAddress& peer) override;
    void hang_up(const protocol::NodeId& peer) override;
    void send(network::SessionId session, network::Frames frames, network::Priority priority) override;
    void close(network::SessionId session) override;
    void allow(std::span<const protocol::CurvePublicKey> keys) override;
    void admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most) override;
    [[nodiscard]] std::optional<std::string> bound_endpoint() const override;
    [[nodiscard]] network::TrafficCounters traffic() const override;
    void stop() override;

  private:
    std::shared_ptr<VirtualNetworkState> state_;
    std::shared_ptr<VirtualPeer> peer_;
};

}  // namespace unlearn::sim::virtual_world
