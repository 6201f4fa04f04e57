#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "node/learning/training.hpp"
#include "sim/report/progress.hpp"
#include "sim/result.hpp"
#include "sim/run/event_log.hpp"
#include "sim/run/fabric.hpp"
#include "sim/run/nodes.hpp"
#include "sim/run/prepare.hpp"
#include "sim/support/workers.hpp"

namespace unlearn::sim::run {

/// How a world is run.
struct WorldOptions {
    std::filesystem::path folder;  ///< holds the nodes' own folders and events.jsonl; must exist
    Violation violation = Violation::none;
    scenario::TransportKind transport = scenario::TransportKind::zmq;
};

/// All nodes of one scenario in this process, over real sockets or in virtual time. The functions must be
/// called from one thread, in the order in which they are declared. Every error is one line.
class World : public Nodes {
  public:
    /// Makes a world in which nothing has been learnt. `scenario` and `progress` must outlive it. `setup`
    /// comes from `prepare`.
    [[nodiscard]] static Result<std::unique_ptr<World>> create(const scenario::Scenario& scenario,
                                                               WorldOptions options,
                                                               report::Progress& progress, Setup setup);
    ~World() override;

    [[nodiscard]] Result<void> train();
    [[nodiscard]] Result<void> distil();
    /// Starts the nodes and waits until every seed has reached every neighbour.
    [[nodiscard]] Result<void> exchange();
    [[nodiscard]] Result<std::vector<Evaluation>> evaluate() override;
    [[nodiscard]] Result<ExitOutcome> exit(const std::string& name) override;
    /// Stops all nodes and the fabric that they run on.
    void stop();

    [[nodiscard]] std::vector<report::NodeResult> facts() const override;
    [[nodiscard]] const std::vector<report::AsideResult>& held_aside() const override { return aside_; }
    [[nodiscard]] report::TrafficResult traffic();

  private:
    struct Member;

    World(const scenario::Scenario& scenario, WorldOptions options, report::Progress& progress, Setup setup);
    [[nodiscard]] Result<void> start_nodes();
    [[nodiscard]] Result<void> wait_for_seeds(protocol::SeedVersion version);
    [[nodiscard]] Result<void> distil_from_ensembles();
    [[nodiscard]] Result<void> publish_seeds(protocol::SeedVersion version);
    [[nodiscard]] Member* find(const std::string& name);
    [[nodiscard]] const std::string& name_of(const protocol::NodeId& id) const;
    [[nodiscard]] Exchange::Pairs expected_seeds() const;
    void note_aside();
    const scenario::Scenario& scenario_;
    WorldOptions options_;
    report::Progress& progress_;
    Setup setup_;
    EventLog events_;
    support::Workers workers_;
    std::vector<learning::MainModel> main_models_;  ///< in the order of setup_.nodes, once trained
    std::unique_ptr<Fabric> fabric_;
    std::vector<std::unique_ptr<Member>> members_;  ///< in the order of setup_.nodes
    std::vector<report::AsideResult> aside_;
    std::uint64_t raw_seed_bytes_ = 0;  ///< bytes of the parameters of all seeds that neighbours get
};

}  // namespace unlearn::sim::run
