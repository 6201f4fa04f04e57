#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/daemon.hpp"
#include "sim/daemon_scores.hpp"
#include "sim/nodes.hpp"
#include "sim/progress.hpp"
#include "sim/workers.hpp"

namespace unlearn::sim {

/// All nodes of one scenario as `unlearnd` processes. The functions are called in the order in which they
/// stand here, all from the thread that made the object; every error is one line. No process outlives the
/// object.
class Processes : public Nodes {
  public:
    /// `scenario`, `setup` and `progress` must outlive the object. events.jsonl is written to `folder`.
    Processes(const Scenario& scenario, const Setup& setup, FleetFiles files,
              const std::filesystem::path& folder, Progress& progress);

    /// Starts all and waits until each has learnt its main model.
    [[nodiscard]] tl::expected<void, std::string> start(const std::filesystem::path& program);
    /// Waits until every seed has reached every neighbour.
    [[nodiscard]] tl::expected<void, std::string> exchange();
    [[nodiscard]] tl::expected<std::vector<Evaluation>, std::string> evaluate() override;
    [[nodiscard]] tl::expected<ExitOutcome, std::string> exit(const std::string& name) override;
    [[nodiscard]] std::vector<NodeFacts> facts() const override;
    [[nodiscard]] const std::vector<AsideSeed>& held_aside() const override { return aside_; }
    /// `traffic` of result.json.
    [[nodiscard]] tl::expected<nlohmann::json, std::string> traffic();
    /// Ends all and checks that each ended well.
    [[nodiscard]] tl::expected<void, std::string> stop();

  private:
    [[nodiscard]] tl::expected<void, std::string> check_all_run();
    /// Takes down the seeds that are here, and says why a node will never have all.
    [[nodiscard]] tl::expected<std::size_t, std::string> settled_seeds();
    [[nodiscard]] std::string name_of(const std::string& id) const;
    [[nodiscard]] bool is_forgotten(const std::string& id) const;

    const Scenario& scenario_;
    const Setup& setup_;
    Progress& progress_;
    EventLog events_;
    Workers workers_;
    TestSet test_set_;
    std::vector<std::unique_ptr<Daemon>> daemons_;  ///< in the order of setup_.nodes
    std::vector<AsideSeed> aside_;
    std::vector<at::Tensor> main_predictions_;  ///< of each daemon's main model, once asked for
};

}  // namespace unlearn::sim
