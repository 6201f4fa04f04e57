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

/// The options of one node.
struct NodeOptions {
    std::filesystem::path directory;                   ///< folder of the storage; created when it is missing
    std::uint64_t log_entries = storage::kLogEntries;  ///< the limit of the event log
    protocol::EngineConfig engine;
    std::chrono::milliseconds tick = protocol::kTickInterval;  ///< how often the engine checks its timers
};

/// Receives the events of the engine, each with the time at which it happened on this machine.
using EventSink = std::function<void(const protocol::Event&, std::chrono::steady_clock::time_point)>;

/// Create, use and destroy it on the host's thread, or while nothing runs on that thread. Functions that may
/// be called from another thread say so.
class Node final : private network::TransportHandler {
  public:
    /// Opens the storage and binds the socket. Nothing is dialled and no peer is let in before `start`.
    /// `identity` and `seeds` must outlive the node. @return one line when the folder is in use, damaged or
    /// another node's, when the port is in use, or when the identity is retired.
    [[nodiscard]] static protocol::Result<std::unique_ptr<Node>> create(
        std::shared_ptr<Host> host, const protocol::Identity& identity, NodeOptions options,
        std::unique_ptr<network::Transport> transport, SeedHolder& seeds, EventSink events);
    /// Does the same with the real clocks and disk, on the thread of `context`, which must outlive the node.
    [[nodiscard]] static protocol::Result<std::unique_ptr<Node>> create(
        boost::asio::io_context& context, const protocol::Identity& identity, NodeOptions options,
        std::unique_ptr<network::Transport> transport, SeedHolder& seeds, EventSink events);
    ~Node() override;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Returns where other nodes can dial this node, if they can.
    [[nodiscard]] std::optional<std::string> endpoint() const { return transport_->bound_endpoint(); }
    /// Lets the peer in and dials it where it is our turn. May be called before or after `start`. `remember`
    /// keeps the peer after a restart; it has an effect only once the node is started.
    void add_neighbour(const protocol::Neighbour& neighbour, bool remember = false);
    /// Ends the exchange with the peer and erases its seed. This still holds after a restart.
    void remove_neighbour(const protocol::NodeId& peer);
    void start();
    /// Sends Bye, which is not an exit, and closes all connections.
    void stop();

    void publish(std::string architecture, protocol::SharedSeedBytes payload);
    void begin_exit();
    /// Stops repeating our exit notice. Holders that have not sent a receipt are missing.
    void give_up_exit();
    /// The operator says that no other copy of this node runs, and that its state is to be used as it is.
    void claim_state();
    /// Takes the sealed exit of another node and passes it on. @return why the notice is not a valid one.
    [[nodiscard]] protocol::Result<void> submit_notice(const protocol::SignedBytes& notice);
    /// Takes what the network's key has signed and passes it on. @return why it counts for nothing here
    [[nodiscard]] protocol::Result<void> submit_network_statement(protocol::NetworkStatementKind kind,
                                                                  const protocol::SignedBytes& statement);
    /// Shows a newer membership of this node from now on. @return why it counts for nothing
    [[nodiscard]] protocol::Result<void> renew_membership(const protocol::SignedBytes& membership);
    /// The operator decides that the network's keys lead to `key`.
    void follow_network_key(const protocol::NodeId& key);
    /// Reports that the seed holder judged a held seed again.
    void judged(const protocol::NodeId& owner, protocol::SeedVersion version,
                std::optional<std::string> aside);

    [[nodiscard]] const protocol::Engine& engine() const { return engine_; }
    [[nodiscard]] const network::Transport& transport() const { return *transport_; }
    [[nodiscard]] storage::StorageCounters storage_counters() const { return storage_->counters(); }
    /// Returns why the last write did not reach the disk; nothing when it did.
    [[nodiscard]] std::optional<protocol::Error> storage_failure() const { return storage_->failure(); }
    /// Runs a short task on the storage thread, in its turn. @return an error when too many batches are
    /// waiting.
    [[nodiscard]] protocol::Result<void> on_storage(std::function<void(storage::Store&)> task) {
        return storage_->post(std::move(task));
    }

  private:
    Node(std::shared_ptr<Host> host, const protocol::Identity& identity, protocol::EngineConfig config,
         std::chrono::milliseconds tick_interval, OpenedStorage opened,
         std::unique_ptr<network::Transport> transport, SeedHolder& seeds, EventSink events);

    [[nodiscard]] protocol::Result<void> submit_revocation(const protocol::SignedBytes& statement);
    [[nodiscard]] protocol::Result<void> submit_succession(const protocol::SignedBytes& statement);

    void on_link_up(network::SessionId session, const protocol::NodeId& peer) override;
    void on_link_down(network::SessionId session) override;
    void on_message(network::SessionId session, const protocol::CurvePublicKey& key,
                    network::Frames frames) override;
    void on_malformed(network::SessionId session, const protocol::CurvePublicKey& key,
                      std::string reason) override;
    void on_unresolved(const protocol::NodeId& peer, const std::string& problem) override;

    /// Does nothing unless the node is running.
    void feed(const protocol::Input& input);
    void run(const protocol::Input& input);
    /// Feeds `input` on the node's thread unless the node is gone by then. Callable from any thread, also
    /// after the node is gone: the answers of storage and learning keep `alive` and never the node itself.
    static void post(Host& host, const std::shared_ptr<Node*>& alive, protocol::Input input);
    void carry_out(protocol::Effect effect);
    void tick();

    std::shared_ptr<Host> host_;  ///< shared with answers that arrive after the node is gone
    std::unique_ptr<Timer> timer_;
    std::unique_ptr<network::Transport> transport_;
    SeedHolder& seeds_;
    EventSink events_;
    std::chrono::milliseconds tick_interval_;
    protocol::Engine engine_;
    bool running_ = false;
    std::shared_ptr<Node*> alive_;  ///< points to null once the node is gone; read on the node's thread only
    std::unique_ptr<storage::AsyncStore> storage_;  ///< last, so that it ends before what its answers use
};

}  // namespace unlearn::runtime
