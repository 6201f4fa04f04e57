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
    int copies = 1;                        ///< how often it arrives; 0: lost
    protocol::SteadyTime delay{};          ///< in addition to the usual time
    bool overtakes = false;                ///< does not wait for the messages before it
    std::optional<std::uint64_t> flipped;  ///< the bit to flip, modulo the message's bits
};

/// A network in virtual time, without sockets. Keys and the access list are checked as CURVE and ZAP would
/// check them. Order is kept, except that more urgent messages may overtake. The owner of the network decides
/// on delays, losses and cuts. Only one thread may use it.
class VirtualNetwork {
  public:
    using Judge = std::function<Fate(const protocol::NodeId& from, const protocol::NodeId& to,
                                     const network::Frames& frames)>;
    /// May change what arrives. Returns false if the message must not be delivered.
    using Inspector = std::function<bool(const protocol::NodeId& from, const protocol::NodeId& to,
                                         network::Frames& frames)>;
    using Blocked = std::function<bool(const protocol::NodeId& from, const protocol::NodeId& to)>;
    using Latency = std::function<protocol::SteadyTime()>;
    using Awake = std::function<protocol::SteadyTime(const protocol::NodeId& node)>;

    explicit VirtualNetwork(VirtualTime& time);

    /// How long each message takes; the owner of the world draws it.
    void set_latency(Latency latency);
    void set_judge(Judge judge);
    /// Sees every message right before it is delivered.
    void set_inspector(Inspector inspector);
    /// Whether nothing passes from one node to another at the moment. No connection is made if either
    /// direction is blocked. Connections that exist stay up and lose what is sent.
    void set_blocked(Blocked blocked);
    /// When a node that stands still goes on. What arrives before waits until then.
    void set_awake(Awake awake);
    /// The node disappears without a word: nothing that its transport still sends gets out.
    void kill(const protocol::NodeId& node);

  private:
    friend class VirtualTransport;
    std::shared_ptr<VirtualNetworkState> state_;
};

/// The transport of one node in the virtual network.
class VirtualTransport final : public network::Transport {
  public:
    /// `endpoint` is only a name here. Without one the node cannot be dialled.
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
