#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/network/zmq_transport.hpp"
#include "tests/support/memory_network.hpp"

/// A few nodes on one io_context, over real sockets or in memory, with handlers that write down what happens.
namespace unlearn::network::test {

using namespace std::chrono_literals;

struct Recorder : TransportHandler {
    struct Up {
        SessionId session;
        protocol::NodeId peer;
    };
    struct Message {
        SessionId session;
        protocol::CurvePublicKey key;
        Frames frames;
    };
    struct Malformed {
        SessionId session;
        protocol::CurvePublicKey key;
        std::string reason;
    };
    std::vector<Up> ups;
    std::vector<SessionId> downs;
    std::vector<Message> messages;
    std::vector<Malformed> malformed;
    std::vector<std::pair<protocol::NodeId, std::string>> unresolved;
    std::function<void(const Message&)> answer;

    void on_link_up(SessionId session, const protocol::NodeId& peer) override {
        ups.push_back({session, peer});
    }
    void on_link_down(SessionId session) override { downs.push_back(session); }
    void on_message(SessionId session, const protocol::CurvePublicKey& key, Frames frames) override {
        messages.push_back({session, key, std::move(frames)});
        if (answer) answer(messages.back());
    }
    void on_malformed(SessionId session, const protocol::CurvePublicKey& key, std::string reason) override {
        malformed.push_back({session, key, std::move(reason)});
    }
    void on_unresolved(const protocol::NodeId& peer, const std::string& problem) override {
        unresolved.emplace_back(peer, problem);
    }
};

struct Node {
    protocol::Identity identity = protocol::Identity::generate();
    Recorder seen;
    std::unique_ptr<Transport> transport;

    [[nodiscard]] protocol::PeerAddress address() const {
        return {identity.id(), transport->bound_endpoint().value_or("")};
    }
    void allow(const Node& other) {
        const protocol::CurvePublicKey key = other.identity.id().curve_key();
        transport->allow({&key, 1});
    }
};

class World {
  public:
    virtual ~World() = default;
    asio::io_context io;

    /// Not started yet.
    std::unique_ptr<Node> make(std::optional<std::string> endpoint);
    /// Started, on a free port or without one.
    std::unique_ptr<Node> listening();
    std::unique_ptr<Node> dialling();
    /// Gives the node a new transport, as after a restart.
    void restart(Node& node, const std::string& endpoint);

    /// Runs the io_context until `done`. @return false when that took longer than `most`: where the test is
    /// about time, or what no machine is too slow for.
    bool until(const std::function<bool()>& done, std::chrono::milliseconds most = 60s);
    void run_for(std::chrono::milliseconds time);

    virtual std::unique_ptr<Transport> transport(const protocol::Identity& identity,
                                                 std::optional<std::string> endpoint) = 0;
};

struct ZmqWorld : World {
    std::unique_ptr<ZmqContext> context = std::move(ZmqContext::create().value());
    std::unique_ptr<Transport> transport(const protocol::Identity& identity,
                                         std::optional<std::string> endpoint) override;
};

struct MemoryWorld : World {
    MemoryNetwork network;
    std::unique_ptr<Transport> transport(const protocol::Identity& identity,
                                         std::optional<std::string> endpoint) override;
};

/// A message of `kind` with a number in its header.
Frames message(std::uint8_t kind, std::uint64_t number, std::size_t body = 8,
               std::optional<std::size_t> payload = std::nullopt);
std::uint64_t number_of(const Frames& frames);

}  // namespace unlearn::network::test
