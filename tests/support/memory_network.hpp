#pragma once

#include <functional>
#include <memory>

#include "node/network/asio.hpp"
#include "node/network/transport.hpp"
#include "protocol/identity.hpp"

namespace unlearn::network {

struct MemoryState;
struct MemoryNode;

/// A network without sockets for tests and ThreadSanitizer: nodes find each other by endpoint, keys are
/// checked as CURVE and ZAP would, messages keep their order within a priority, and tests decide what is
/// lost. Thread-safe.
class MemoryNetwork {
  public:
    MemoryNetwork();

    enum class Fate { deliver, drop, duplicate };
    using Judge =
        std::function<Fate(const protocol::NodeId& from, const protocol::NodeId& to, const Frames&)>;

    /// Asked about every message, on the sender's thread; nothing delivers all of them. Must not call the
    /// network.
    void set_judge(Judge judge);
    /// Breaks the connections between two nodes, and lets none come up until `heal`.
    void cut(const protocol::NodeId& one, const protocol::NodeId& other);
    void heal(const protocol::NodeId& one, const protocol::NodeId& other);

  private:
    friend class MemoryTransport;
    std::shared_ptr<MemoryState> state_;
};

/// One node in a MemoryNetwork. Its calls belong to the thread that runs its io_context, as with
/// ZmqTransport; nodes of one network may run on different threads.
class MemoryTransport final : public Transport {
  public:
    /// `endpoint` as in ZmqTransport; it is only a name here, but a wildcard port is replaced by a free one.
    MemoryTransport(asio::io_context& io, MemoryNetwork& network, const protocol::NodeId& id,
                    std::optional<std::string> endpoint);
    ~MemoryTransport() override;

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

    /// `send` without the promise that the frames have the shape of a message: a peer that breaks the rules.
    void send_unchecked(SessionId session, Frames frames, Priority priority);

  private:
    std::shared_ptr<MemoryState> state_;
    std::shared_ptr<MemoryNode> node_;
};

}  // namespace unlearn::network
