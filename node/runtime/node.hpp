#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/network/asio.hpp"
#include "node/network/transport.hpp"
#include "node/runtime/host.hpp"
#include "node/runtime/seed_holder.hpp"
#include "protocol/engine.hpp"
#include "protocol/limits.hpp"

namespace unlearn::runtime {

struct NodeOptions {
    std::filesystem::path directory;  ///< storage; made when it is missing
    protocol::EngineConfig engine;
    std::chrono::milliseconds tick = protocol::kTickInterval;  ///< how exact the engine's timers are
};

/// An event of the engine with the moment at which it happened on this machine.
using EventSink = std::function<void(const protocol::Event&, std::chrono::steady_clock::time_point)>;

/// One node: the protocol engine, its storage and its transport, on one host.
///
/// Lives on the host's thread: create, use and destroy it there (or while nothing runs on it). Exceptions are
/// the functions that say otherwise.
class Node final : private network::TransportHandler {
  public:
    /// Opens storage and binds; nothing is dialled and nobody let in before `start`. `identity` and `seeds`
    /// must outlive the node. @return one line when the folder is in use, damaged or another node's, or when
    /// the port is in use.
    [[nodiscard]] static protocol::Result<std::unique_ptr<Node>> create(
        std::shared_ptr<Host> host, const protocol::Identity& identity, NodeOptions options,
        std::unique_ptr<network::Transport> transport, SeedHolder& seeds, EventSink events);
    /// On the real clocks and disk and the thread of `context`, which must outlive the node.
    [[nodiscard]] static protocol::Result<std::unique_ptr<Node>> create(
        boost::asio::io_context& context, const protocol::Identity& identity, NodeOptions options,
        std::unique_ptr<network::Transport> transport, SeedHolder& seeds, EventSink events);
    ~Node() override;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Where others can dial this node, if they can.
    [[nodiscard]] std::optional<std::string> endpoint() const { return transport_->bound_endpoint(); }
    /// Lets the peer in and, where it is our turn, dials it. Before or after `start`. `remember`: also after
    /// a restart, and only once started.
    void add_neighbour(const protocol::Neighbour& neighbour, bool remember = false);
    /// Ends the exchange with the peer and erases its seed; also after a restart.
    void remove_neighbour(const protocol::NodeId& peer);
    void start();
    /// Says goodbye, which is no exit, and closes all connections.
    void stop();

    void publish(std::string architecture, protocol::SharedSeedBytes payload);
    void begin_exit();
    /// Ends the retries of our exit. Holders that have not sent a receipt are missing.
    void give_up_exit();
    /// Takes and passes on the sealed exit of another node. @return why the notice is not a valid one.
    [[nodiscard]] protocol::Result<void> submit_notice(const protocol::SignedBytes& notice);
    /// The holder judged a held seed again.
    void judged(const protocol::NodeId& owner, protocol::SeedVersion version,
                std::optional<std::string> aside);

    [[nodiscard]] const protocol::Engine& engine() const { return engine_; }
    [[nodiscard]] const network::Transport& transport() const { return *transport_; }
    [[nodiscard]] storage::StorageCounters storage_counters() const { return storage_->counters(); }
    /// Why the last write did not reach the disk; empty when it did.
    [[nodiscard]] std::optional<protocol::Error> storage_failure() const { return storage_->failure(); }
    /// Runs a short task on the storage thread, in its turn. @return an error when too much waits there.
    [[nodiscard]] protocol::Result<void> on_storage(std::function<void(storage::Store&)> task) {
        return storage_->post(std::move(task));
    }

  private:
    Node(std::shared_ptr<Host> host, const protocol::Identity& identity, protocol::EngineConfig config,
         std::chrono::milliseconds tick_interval, OpenedStorage opened,
         std::unique_ptr<network::Transport> transport, SeedHolder& seeds, EventSink events);

    void on_link_up(network::SessionId session, const protocol::NodeId& peer) override;
    void on_link_down(network::SessionId session) override;
    void on_message(network::SessionId session, const protocol::CurvePublicKey& key,
                    network::Frames frames) override;
    void on_malformed(network::SessionId session, const protocol::CurvePublicKey& key,
                      std::string reason) override;
    void on_unresolved(const protocol::NodeId& peer, const std::string& problem) override;

    /// Ignored unless the node is running.
    void feed(const protocol::Input& input);
    void run(const protocol::Input& input);
    /// Feeds `input` on the node's thread unless the node is gone by then. Callable from any thread, also
    /// when the node is gone already: answers of storage and learning hold on to `alive` and never to the
    /// node.
    static void post(Host& host, const std::shared_ptr<Node*>& alive, protocol::Input input);
    void carry_out(protocol::Effect effect);
    void tick();

    std::shared_ptr<Host> host_;  ///< shared with answers that come when the node is gone
    std::unique_ptr<Timer> timer_;
    std::unique_ptr<network::Transport> transport_;
    SeedHolder& seeds_;
    EventSink events_;
    std::chrono::milliseconds tick_interval_;
    protocol::Engine engine_;
    bool running_ = false;
    std::shared_ptr<Node*> alive_;  ///< null pointee once the node is gone; read on the node's thread only
    std::unique_ptr<storage::AsyncStore> storage_;  ///< last: it ends before anything that its answers touch
};

}  // namespace unlearn::runtime
