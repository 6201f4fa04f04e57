#include "sim/experiments/network_runs.hpp"

#include <utility>

#include "sim/experiments/network_study.hpp"

namespace unlearn::sim::experiments {
namespace {

class NetworkRuns final : public Study {
  public:
    NetworkRuns(std::shared_ptr<const LearntNetwork> learnt, report::Progress& progress)
        : learnt_(std::move(learnt)), progress_(progress) {}

    Result<std::vector<report::Row>> run(const ExperimentRun& run) override {
        return run_network_study(run.scenario, run.study.network, progress_, learnt_);
    }

  private:
    std::shared_ptr<const LearntNetwork> learnt_;  ///< null without learning
    report::Progress& progress_;
};

}  // namespace

Result<std::unique_ptr<Study>> make_network_runs(const ExperimentRun& first, report::Progress& progress) {
    std::shared_ptr<const LearntNetwork> learnt;
    if (first.study.network.learning) {
        auto made = LearntNetwork::learn(first.scenario, progress);
        if (!made) return failed_with(made.error());
        learnt = std::move(*made);
    }
    return std::make_unique<NetworkRuns>(std::move(learnt), progress);
}

}  // namespace unlearn::sim::experiments
