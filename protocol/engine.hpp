#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "protocol/engine_config.hpp"
#include "protocol/engine_io.hpp"
#include "protocol/engine_status.hpp"

/// The protocol as a pure step function: an input and the time go in, effects come out. No sockets, files,
/// threads or clocks. The owner of an engine carries out its effects in order and feeds the answers back as
/// inputs.
namespace unlearn::protocol {

/// One node's protocol state. Not thread-safe: one thread owns it. It owns the parts in protocol/engine/,
/// decides which of them hears an input, and in which order their effects leave.
class Engine {
  public:
    /// `identity` must outlive the engine. `state` comes from storage.
    Engine(const Identity& identity, EngineConfig config, LoadedState state);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Never throws on any input from a peer.
    [[nodiscard]] std::vector<Effect> step(const Input& input, Now now);

    /// The gate at `rebuild`, asked right before a prepared seed joins the ensemble.
    [[nodiscard]] bool may_use(const NodeId& owner, SeedVersion version) const;

    [[nodiscard]] const NodeId& id() const;
    /// Owners and versions in use.
    [[nodiscard]] std::map<NodeId, SeedVersion> seeds_in_use() const;
    /// All seeds of others that are here complete, in use or not, by owner.
    [[nodiscard]] std::vector<HeldSeedStatus> held_seeds() const;
    [[nodiscard]] std::vector<PeerStatus> peers() const;
    [[nodiscard]] std::optional<OwnSeedStatus> own_seed() const;
    [[nodiscard]] bool has_tombstone(const NodeId& owner) const;
    [[nodiscard]] std::vector<NodeId> tombstones() const;
    [[nodiscard]] std::size_t established_peers() const;
    [[nodiscard]] ExitProgress own_exit() const;
    [[nodiscard]] const EngineCounters& counters() const;
    [[nodiscard]] EngineSizes sizes() const;
    [[nodiscard]] const EngineConfig& config() const;

  private:
    class Router;
    std::unique_ptr<Router> router_;
};

}  // namespace unlearn::protocol
