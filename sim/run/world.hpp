#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "node/learning/training.hpp"
#include "sim/report/progress.hpp"
#include "sim/run/event_log.hpp"
#include "sim/run/fabric.hpp"
#include "sim/run/nodes.hpp"
#include "sim/run/prepare.hpp"
#include "sim/support/workers.hpp"

namespace unlearn::sim::run {

struct WorldOptions {
    std::filesystem::path folder;  ///< for the nodes' own folders and events.jsonl; must exist
    Violation violation = Violation::none;
    scenario::TransportKind transport = scenario::TransportKind::zmq;
};

/// All nodes of one scenario in this process, over real sockets or in virtual time. The functions are called
/// in the order in which they stand here, from one thread; every error is one line.
class World : public Nodes {
  public:
    /// `scenario` and `progress` must outlive the world; `setup` is that of `prepare`.
    [[nodiscard]] static tl::expected<std::unique_ptr<World>, std::string> create(
        const scenario::Scenario& scenario, WorldOptions options, report::Progress& progress, Setup setup);
    ~World() override;

    [[nodiscard]] tl::expected<void, std::string> train();
    [[nodiscard]] tl::expected<void, std::string> distil();
    /// Starts the nodes and waits until every seed has reached every neighbour.
    [[nodiscard]] tl::expected<void, std::string> exchange();
    [[nodiscard]] tl::expected<std::vector<Evaluation>, std::string> evaluate() override;
    [[nodiscard]] tl::expected<ExitOutcome, std::string> exit(const std::string& name) override;
    /// Disconnects all nodes and ends what they run on.
    void stop();

    [[nodiscard]] std::vector<report::NodeResult> facts() const override;
    [[nodiscard]] const std::vector<report::AsideResult>& held_aside() const override { return aside_; }
    [[nodiscard]] report::TrafficResult traffic();

  private:
    struct Member;

    World(const scenario::Scenario& scenario, WorldOptions options, report::Progress& progress, Setup setup);
    [[nodiscard]] tl::expected<void, std::string> start_nodes();
    [[nodiscard]] tl::expected<void, std::string> wait_for_seeds(protocol::SeedVersion version);
    [[nodiscard]] tl::expected<void, std::string> distil_from_ensembles();
    [[nodiscard]] tl::expected<void, std::string> publish_seeds(protocol::SeedVersion version);
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
    std::uint64_t raw_seed_bytes_ = 0;  ///< parameters of all seeds that arrived
};

}  // namespace unlearn::sim::run
