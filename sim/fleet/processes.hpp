#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/fleet/daemon.hpp"
#include "sim/fleet/daemon_scores.hpp"
#include "sim/report/progress.hpp"
#include "sim/run/nodes.hpp"
#include "sim/support/workers.hpp"

namespace unlearn::sim::fleet {

/// All nodes of one scenario as `unlearnd` processes. The functions are called in the order in which they
/// stand here, all from the thread that made the object; every error is one line. No process outlives the
/// object.
class Processes : public run::Nodes {
  public:
    /// `scenario`, `setup` and `progress` must outlive the object. events.jsonl is written to `folder`.
    Processes(const scenario::Scenario& scenario, const run::Setup& setup, FleetFiles files,
              const std::filesystem::path& folder, report::Progress& progress);

    /// Starts all and waits until each has learnt its main model.
    [[nodiscard]] tl::expected<void, std::string> start(const std::filesystem::path& program);
    /// Waits until every seed has reached every neighbour.
    [[nodiscard]] tl::expected<void, std::string> exchange();
    [[nodiscard]] tl::expected<std::vector<run::Evaluation>, std::string> evaluate() override;
    [[nodiscard]] tl::expected<run::ExitOutcome, std::string> exit(const std::string& name) override;
    [[nodiscard]] std::vector<report::NodeResult> facts() const override;
    [[nodiscard]] const std::vector<report::AsideResult>& held_aside() const override { return aside_; }
    /// `traffic` of result.json.
    [[nodiscard]] tl::expected<report::TrafficResult, std::string> traffic();
    /// Ends all and checks that each ended well.
    [[nodiscard]] tl::expected<void, std::string> stop();

  private:
    [[nodiscard]] tl::expected<void, std::string> check_all_run();
    /// Takes down the seeds that are here, and says why a node will never have all.
    [[nodiscard]] tl::expected<std::size_t, std::string> settled_seeds();
    [[nodiscard]] std::string name_of(const std::string& id) const;
    [[nodiscard]] bool is_forgotten(const std::string& id) const;

    const scenario::Scenario& scenario_;
    const run::Setup& setup_;
    report::Progress& progress_;
    run::EventLog events_;
    support::Workers workers_;
    TestSet test_set_;
    std::vector<std::unique_ptr<Daemon>> daemons_;  ///< in the order of setup_.nodes
    std::vector<report::AsideResult> aside_;
    std::vector<at::Tensor> main_predictions_;  ///< of each daemon's main model, once asked for
};

}  // namespace unlearn::sim::fleet
