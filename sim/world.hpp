#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "node/network/traffic.hpp"
#include "sim/event_log.hpp"
#include "sim/prepare.hpp"
#include "sim/progress.hpp"
#include "sim/workers.hpp"

namespace unlearn::sim {

/// Accuracy of the main model alone and of the ensemble, from 0 to 1.
struct Score {
    double main = 0.0;
    double ensemble = 0.0;
};

/// `own`: the test set weighted by the node's own label distribution, ensemble asked with the own prior.
/// `full`: the whole test set, ensemble asked with the uniform prior.
struct Scores {
    Score own;
    Score full;
};

/// One node, scored. The predictions are the ensemble's probabilities for the whole test set, [T, classes]
/// float32.
struct Evaluation {
    std::string name;
    Scores scores;
    double rho = 0.0;
    at::Tensor own_prior;
    at::Tensor uniform_prior;
};

struct ExitOutcome {
    std::string node;
    std::vector<std::string> holders;  ///< on record as having been served
    std::vector<std::string> missing;  ///< holders without a receipt in time
    std::vector<std::pair<std::string, double>>
        milliseconds;  ///< per holder, exit command to durable receipt
    nlohmann::json certificate;
};

struct NodeFacts {
    std::string name;
    std::string id;
    std::vector<std::string> neighbours;
    std::string main_architecture;
    std::string seed_architecture;
    std::int64_t main_parameters = 0;
    std::int64_t seed_parameters = 0;
    std::int64_t training_images = 0;
    std::vector<std::string> missing_classes;
};

struct WorldOptions {
    std::filesystem::path folder;  ///< for the nodes' own folders and events.jsonl; must exist
    Violation violation = Violation::none;
};

/// All nodes of one scenario in this process, over real sockets. The functions are called in the order in
/// which they stand here, from one thread; every error is one line.
class World {
  public:
    /// `scenario` and `progress` must outlive the world; `setup` is that of `prepare`.
    [[nodiscard]] static tl::expected<std::unique_ptr<World>, std::string> create(const Scenario& scenario,
                                                                                  WorldOptions options,
                                                                                  Progress& progress,
                                                                                  Setup setup);
    ~World();

    [[nodiscard]] tl::expected<void, std::string> train();
    [[nodiscard]] tl::expected<void, std::string> distil();
    /// Starts the nodes and waits until every seed has reached every neighbour.
    [[nodiscard]] tl::expected<void, std::string> exchange();
    /// Scores every node that has not exited.
    [[nodiscard]] tl::expected<std::vector<Evaluation>, std::string> evaluate();
    [[nodiscard]] tl::expected<ExitOutcome, std::string> exit(const std::string& name);
    /// Disconnects all nodes and ends the network thread.
    void stop();

    [[nodiscard]] std::vector<NodeFacts> facts() const;
    [[nodiscard]] nlohmann::json traffic();

  private:
    struct Member;
    using Clock = std::chrono::steady_clock;

    World(const Scenario& scenario, WorldOptions options, Progress& progress, Setup setup);
    [[nodiscard]] tl::expected<void, std::string> start_nodes();
    [[nodiscard]] tl::expected<void, std::string> wait_for_seeds(protocol::SeedVersion version);
    [[nodiscard]] tl::expected<void, std::string> distil_from_ensembles();
    [[nodiscard]] tl::expected<void, std::string> publish_seeds(protocol::SeedVersion version);
    [[nodiscard]] Member* find(const std::string& name);
    [[nodiscard]] const std::string& name_of(const protocol::NodeId& id) const;
    [[nodiscard]] std::size_t present_neighbours(const Member& member) const;
    /// Runs `job` on the network thread and waits for it.
    template <typename Job>
    auto on_network(Job job);

    const Scenario& scenario_;
    WorldOptions options_;
    Progress& progress_;
    Setup setup_;
    EventLog events_;
    Workers workers_;
    struct Network;
    std::unique_ptr<Network> network_;
    std::vector<std::unique_ptr<Member>> members_;  ///< in the order of setup_.nodes
    std::uint64_t raw_seed_bytes_ = 0;              ///< parameters of all seeds that arrived
};

}  // namespace unlearn::sim
