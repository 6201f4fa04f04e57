#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/limits.hpp"

/// Real engines joined by an in-memory network in virtual time, for tests. Storage is a list of the
/// operations that were carried out; learning accepts every seed unless told otherwise.
namespace unlearn::testing {

using namespace unlearn::protocol;

/// An identity that no node of a network has.
[[nodiscard]] inline Identity stranger(std::uint32_t number) {
    Bytes seed(4);
    for (int i = 0; i < 4; ++i)
        seed[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (8 * i));
    return Identity::from_seed(digest_of(seed).value);
}

class EngineNetwork {
  public:
    struct Node {
        std::string name;
        std::unique_ptr<Identity> identity;
        std::unique_ptr<Engine> engine;
        LoadedState disk;  ///< what would be loaded after a crash
        std::set<NodeId> in_ensemble;
        std::vector<Event> events;
        std::vector<Send> sent;
        bool storage_fails = false;
        bool erasing_fails = false;
        bool storage_hangs = false;
        std::deque<Persist> hanging;
        bool checks_hang = false;
        std::optional<std::string> problem_with_seeds;
        std::optional<std::string> seeds_aside;
        std::set<CurvePublicKey> allowed;
        std::chrono::seconds clock_error{0};  ///< of the wall clock

        [[nodiscard]] std::size_t count(EventKind kind) const {
            std::size_t n = 0;
            for (const auto& event : events)
                n += event.kind == kind ? 1 : 0;
            return n;
        }
        [[nodiscard]] std::size_t count_sent(Kind kind) const {
            std::size_t n = 0;
            for (const auto& send : sent)
                n += send.frames[0][3] == static_cast<std::uint8_t>(kind) ? 1 : 0;
            return n;
        }
    };

    using AdjustConfig = std::function<void(std::size_t node, EngineConfig&)>;

    EngineNetwork(std::vector<std::string> names, std::vector<std::pair<std::size_t, std::size_t>> edges,
                  AdjustConfig adjust_config = nullptr);

    Node& operator[](std::size_t index) { return *nodes_[index]; }
    [[nodiscard]] const NodeId& id(std::size_t index) const { return nodes_[index]->identity->id(); }
    [[nodiscard]] const NetworkId& network() const { return network_; }

    void start();
    void publish(std::size_t node, std::size_t bytes = 100'000, std::uint8_t fill = 7);
    void exit(std::size_t node) { feed(node, BeginExit{}); }
    /// Feeds one input and carries out its effects; messages to others are queued.
    void feed(std::size_t node, const Input& input);
    /// Delivers queued messages until there are none.
    void settle();
    /// Lets time pass in ticks, delivering as it goes.
    void run_for(std::chrono::milliseconds time);
    /// Answers what a hanging storage was asked to do, in order.
    void release_storage(std::size_t node);
    /// The process dies and comes back with what was durable.
    void crash_and_restart(std::size_t node);
    /// Sends raw frames to `to` as if they came from `from` over their connection.
    void inject(std::size_t from, std::size_t to, Frames frames);
    /// No messages between two nodes while cut.
    void cut(std::size_t a, std::size_t b);
    void mend(std::size_t a, std::size_t b);

    /// Called for every message before it is queued; returning false loses it.
    std::function<bool(std::size_t from, std::size_t to, const Frames&)> filter;

  private:
    struct Link {
        std::size_t dialler, acceptor;
        SessionId dialler_session, acceptor_session;
        bool up = false;
        bool cut = false;
    };
    struct InFlight {
        std::size_t to;
        Input input;
    };

    void carry_out(std::size_t node, const Effect& effect);
    void apply(Node& node, const StoreOp& op);
    void connect(std::size_t dialler, std::size_t acceptor);
    void disconnect(Link& link);
    [[nodiscard]] std::size_t index_of(const NodeId& id) const;
    [[nodiscard]] EngineConfig config_for(std::size_t node) const;
    [[nodiscard]] Now now(std::size_t node) const {
        return {steady_, WallTime{std::chrono::seconds(1'700'000'000)} + nodes_[node]->clock_error +
                             std::chrono::duration_cast<std::chrono::seconds>(steady_)};
    }

    AdjustConfig adjust_config_;
    NetworkId network_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<std::pair<std::size_t, std::size_t>> edges_;
    std::vector<Link> links_;
    std::deque<InFlight> queue_;
    SteadyTime steady_{std::chrono::seconds(1)};
    SessionId next_session_ = 1;
};

/// a - b - c in a triangle, everybody has published and everybody holds everybody's seed.
[[nodiscard]] EngineNetwork triangle();
/// True when a start would load the owner's seed.
[[nodiscard]] bool disk_has_seed_of(const EngineNetwork::Node& node, const NodeId& owner);

}  // namespace unlearn::testing
