#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/daemon/ensemble_seeds.hpp"
#include "node/runtime/node.hpp"
#include "sim/experiments/learnt_network.hpp"
#include "sim/experiments/link.hpp"
#include "sim/support/workers.hpp"
#include "sim/virtual/simulated_holder.hpp"
#include "sim/virtual/virtual_machine.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::experiments {

/// The settings of a StudyWorld.
struct StudyWorldSettings {
    std::uint64_t scenario_seed = 1;  ///< seed of the nodes' keys
    std::uint64_t seed = 1;           ///< seed of everything random in the world itself
    protocol::EngineConfig engine;    ///< the engines of all nodes; neighbours are filled in
    std::chrono::milliseconds tick = protocol::kTickInterval;
    LinkSettings link;
    /// If null, no node learns: nodes exchange random bytes, which all of them accept as a good seed.
    std::shared_ptr<const LearntNetwork> learnt;
    learning::EnsembleOptions ensemble;
    std::size_t seed_bytes = 0;  ///< size of a seed without learning
    /// If true, storage is only memory, which is faster. No node may then come back.
    bool forgets = false;
};

/// Production nodes (engine, storage, seeds and ensembles) in virtual time, one for each name of a graph. The
/// user of the world starts and stops them, and must use it in one thread.
class StudyWorld {
  public:
    /// Receives all events of the engines. It must not stop the node.
    using Listener = std::function<void(std::size_t node, const protocol::Event& event)>;

    /// `workers` must outlive the world, and must not be used by others while the world runs.
    StudyWorld(const topologies::Graph& graph, StudyWorldSettings settings, support::Workers& workers,
               Listener listener);
    ~StudyWorld();
    StudyWorld(const StudyWorld&) = delete;
    StudyWorld& operator=(const StudyWorld&) = delete;

    [[nodiscard]] virtual_world::VirtualTime& time() { return time_; }
    [[nodiscard]] const virtual_world::VirtualTime& time() const { return time_; }
    [[nodiscard]] std::size_t size() const { return places_.size(); }
    [[nodiscard]] const std::string& name(std::size_t node) const { return places_[node]->name; }
    [[nodiscard]] const protocol::NodeId& id(std::size_t node) const { return places_[node]->id(); }
    [[nodiscard]] const std::vector<std::size_t>& neighbours(std::size_t node) const {
        return places_[node]->neighbours;
    }
    [[nodiscard]] std::optional<std::size_t> place_of(const protocol::NodeId& id) const;
    [[nodiscard]] bool is_up(std::size_t node) const { return places_[node]->up(); }
    /// Whether the node is up and its exit has begun.
    [[nodiscard]] bool is_leaving(std::size_t node) const { return places_[node]->leaving; }
    /// Whether the node is up and its exit has not begun.
    [[nodiscard]] bool takes_part(std::size_t node) const { return is_up(node) && !is_leaving(node); }
    [[nodiscard]] protocol::SteadyTime up_since(std::size_t node) const { return places_[node]->up_since; }
    /// The node must be up.
    [[nodiscard]] const protocol::Engine& engine(std::size_t node) const { return places_[node]->engine(); }
    /// The ensemble of a node that is up; null without learning.
    [[nodiscard]] const learning::EnsembleHolder* ensemble(std::size_t node) const {
        return places_[node]->ensemble.get();
    }
    /// Whether the owner's seed is in use at a node that is up, according to its engine or its ensemble.
    [[nodiscard]] bool uses(std::size_t node, const protocol::NodeId& owner) const;

    /// Starts a node, for the first time or again. It publishes its seed unless it did so before. Does
    /// nothing for a node that is up or has left for good.
    void start(std::size_t node);
    void leave(std::size_t node);
    void crash(std::size_t node);
    /// Begins the exit of a node. The node stops by itself once all receipts are there.
    void begin_exit(std::size_t node);
    void give_up_exit(std::size_t node);

    /// Returns what all nodes have sent since the beginning.
    [[nodiscard]] network::TrafficCounters sent() const;
    /// The reason why a node could not start, in one line. It can only be a bug of ours.
    [[nodiscard]] const std::optional<std::string>& problem() const { return problem_; }

  private:
    /// One machine, whether or not its node is up.
    struct Place : virtual_world::VirtualMachine {
        Place(std::string named, virtual_world::VirtualTime& time, virtual_world::VirtualNetwork& network,
              protocol::Identity keys, std::uint64_t disk_seed)
            : VirtualMachine(time, network, std::make_shared<const protocol::Identity>(std::move(keys)),
                             disk_seed),
              name(std::move(named)) {}

        std::string name;
        std::vector<std::size_t> neighbours;
        // Used with learning. The judge uses the ensemble; both outlive the machine's node.
        std::unique_ptr<learning::EnsembleHolder> ensemble;
        std::unique_ptr<daemon::EnsembleSeeds> judge;
        virtual_world::SimulatedHolder* simulated = nullptr;  ///< without learning; that of the last start
        protocol::SteadyTime up_since{};
        bool leaving = false;
        bool gone = false;
    };

    [[nodiscard]] std::unique_ptr<runtime::SeedHolder> make_seeds(
        std::size_t node, const std::shared_ptr<virtual_world::VirtualHost>& host);
    [[nodiscard]] protocol::EngineConfig config_of(const Place& place);
    void publish(std::size_t node);
    void take_down(Place& place);
    void on_event(std::size_t node, const protocol::Event& event);

    StudyWorldSettings settings_;
    support::Workers& workers_;
    Listener listener_;
    learning::RandomStream random_;
    // Declared before `time_`, whose queue may still hold work for these disks when it is destroyed.
    std::vector<std::unique_ptr<Place>> places_;
    std::map<protocol::NodeId, std::size_t> place_of_;
    virtual_world::VirtualTime time_;
    virtual_world::VirtualNetwork network_{time_};
    Link link_;
    std::optional<std::string> problem_;
};

}  // namespace unlearn::sim::experiments
