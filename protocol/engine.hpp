#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "protocol/engine_config.hpp"
#include "protocol/engine_io.hpp"
#include "protocol/engine_status.hpp"

/// The protocol as a pure step function: an input and the time go in, effects come out. It uses no sockets,
/// files, threads or clocks. The owner of an engine carries out the effects in order and feeds the answers
/// back as inputs.
namespace unlearn::protocol {

class ExitSet;

/// One node's protocol state. It is not thread-safe: one thread owns it. It owns the parts in
/// protocol/engine/, and decides which part handles an input and in which order the effects leave.
class Engine {
  public:
    /// `identity` must outlive the engine. `state` comes from storage.
    Engine(const Identity& identity, EngineConfig config, LoadedState state);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Handles one input. Returns the effects in the order in which they must be carried out. Never throws on
    /// any input from a peer.
    [[nodiscard]] std::vector<Effect> step(const Input& input, Now now);

    /// Asks the gate at `rebuild`. Call it right before a prepared seed joins the ensemble.
    [[nodiscard]] bool may_use(const NodeId& owner, SeedVersion version) const;

    [[nodiscard]] const NodeId& id() const;
    /// The seeds of others that are in use: the version for each owner.
    [[nodiscard]] std::map<NodeId, SeedVersion> seeds_in_use() const;
    /// All complete seeds of others, in use or not, sorted by owner.
    [[nodiscard]] std::vector<HeldSeedStatus> held_seeds() const;
    [[nodiscard]] std::vector<PeerStatus> peers() const;
    [[nodiscard]] std::optional<OwnSeedStatus> own_seed() const;
    [[nodiscard]] bool has_tombstone(const NodeId& owner) const;
    [[nodiscard]] std::vector<NodeId> tombstones() const;
    /// The owners whose exits it tells its neighbours of: those that are durable, and its own once announced.
    [[nodiscard]] const ExitSet& known_exits() const;
    [[nodiscard]] std::size_t established_peers() const;
    /// True for a member that the network's key has expelled.
    [[nodiscard]] bool is_expelled(const NodeId& member) const;
    /// True when no key of the network counts, see NetworkKey.
    [[nodiscard]] bool is_network_key_undecided() const;
    /// True when it is known that `key`, a key of this network, named `next` as the one after it.
    [[nodiscard]] bool knows_succession(const NodeId& key, const NodeId& next) const;
    /// What is known of the network's key. Empty in a network without one.
    [[nodiscard]] NetworkKeyStatus network_key() const;
    [[nodiscard]] ExitProgress own_exit() const;
    [[nodiscard]] const EngineCounters& counters() const;
    [[nodiscard]] EngineSizes sizes() const;
    [[nodiscard]] const EngineConfig& config() const;

  private:
    class Router;
    std::unique_ptr<Router> router_;
};

}  // namespace unlearn::protocol
