#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/fleet/daemon.hpp"
#include "sim/fleet/daemon_scores.hpp"
#include "sim/report/progress.hpp"
#include "sim/result.hpp"
#include "sim/run/nodes.hpp"
#include "sim/support/workers.hpp"

namespace unlearn::sim::fleet {

/// All nodes of one scenario as `unlearnd` processes. The functions must be called in the order in which they
/// are declared, from the thread that made the object. Every error is one line. No process outlives this
/// object.
class Processes : public run::Nodes {
  public:
    /// `scenario`, `setup` and `progress` must outlive this object. Writes events.jsonl to `folder`.
    Processes(const scenario::Scenario& scenario, const run::Setup& setup, FleetFiles files,
              const std::filesystem::path& folder, report::Progress& progress);

    /// Starts all processes and waits until each has trained its main model.
    [[nodiscard]] Result<void> start(const std::filesystem::path& program);
    /// Waits until every seed has reached every neighbour.
    [[nodiscard]] Result<void> exchange();
    [[nodiscard]] Result<std::vector<run::Evaluation>> evaluate() override;
    [[nodiscard]] Result<run::ExitOutcome> exit(const std::string& name) override;
    [[nodiscard]] std::vector<report::NodeResult> facts() const override;
    [[nodiscard]] const std::vector<report::AsideResult>& held_aside() const override { return aside_; }
    /// Returns `traffic` of result.json.
    [[nodiscard]] Result<report::TrafficResult> traffic();
    /// Ends all processes and checks that each exit code is 0.
    [[nodiscard]] Result<void> stop();

  private:
    [[nodiscard]] Result<void> check_all_run();
    /// Counts the seeds that are in use or held aside, and records those held aside. Returns an error if a
    /// node has a problem that keeps it from getting all.
    [[nodiscard]] Result<std::size_t> settled_seeds();
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
    std::vector<at::Tensor> main_predictions_;  ///< of each daemon's main model; undefined until needed
};

}  // namespace unlearn::sim::fleet
