#pragma once

#include <map>
#include <memory>
#include <string>

#include "node/network/asio.hpp"
#include "node/network/transport.hpp"
#include "node/network/zmq_context.hpp"
#include "protocol/identity.hpp"

namespace unlearn::network {

class DialledPeer;
class RouterListener;
struct TransportShared;

/// One node on real sockets: a bound ROUTER if the node can be reached, and a DEALER for each neighbour that
/// it dials. Each connection carries both directions and is encrypted and authenticated with CURVE.
///
/// The sockets belong to the one thread that runs `io`, and all calls must be made on it. Many nodes can
/// share an io_context and a ZmqContext. The context, the io_context and the identity must outlive the
/// transport.
class ZmqTransport final : public Transport {
  public:
    /// `endpoint` is where to listen: `tcp://host:port`, with `*` for all addresses or port 0 for any free
    /// port. It is nothing for a node that cannot be dialled.
    ZmqTransport(asio::io_context& io, ZmqContext& context, const protocol::Identity& identity,
                 std::optional<std::string> endpoint);
    ~ZmqTransport() override;

    [[nodiscard]] protocol::Result<void> start(TransportHandler& handler) override;
    void dial(const protocol::PeerAddress& peer) override;
    void hang_up(const protocol::NodeId& peer) override;
    void send(SessionId session, Frames frames, Priority priority) override;
    void close(SessionId session) override;
    void allow(std::span<const protocol::CurvePublicKey> keys) override;
    void admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most) override;
    [[nodiscard]] std::optional<std::string> bound_endpoint() const override;
    [[nodiscard]] TrafficCounters traffic() const override;
    void stop() override;

  private:
    void forget_peer(const protocol::NodeId& peer);
    void stop_dialling(std::span<const protocol::CurvePublicKey> keys);
    void watch();
    void watch_later();
    void flush_before_stop();

    ZmqContext& context_;
    const protocol::Identity& identity_;
    std::optional<std::string> endpoint_;
    std::shared_ptr<TransportShared> shared_;
    std::shared_ptr<RouterListener> listener_;
    std::map<protocol::NodeId, std::shared_ptr<DialledPeer>> dialled_;
    std::shared_ptr<asio::steady_timer> safety_timer_;
};

}  // namespace unlearn::network
