#include "sim/experiments/network_runs.hpp"

#include <utility>

#include "sim/experiments/network_study.hpp"

namespace unlearn::sim::experiments {
namespace {

class NetworkRuns final : public Study {
  public:
    NetworkRuns(std::shared_ptr<const LearntNetwork> learnt, report::Progress& progress)
        : learnt_(std::move(learnt)), progress_(progress) {}

    tl::expected<std::vector<report::Row>, std::string> run(const ExperimentRun& run) override {
        return run_network_study(run.scenario, run.study.network, progress_, learnt_);
    }

  private:
    std::shared_ptr<const LearntNetwork> learnt_;  ///< null where nobody learns
    report::Progress& progress_;
};

}  // namespace

tl::expected<std::unique_ptr<Study>, std::string> make_network_runs(const ExperimentRun& first,
                                                                    report::Progress& progress) {
    std::shared_ptr<const LearntNetwork> learnt;
    if (first.study.network.learning) {
        auto made = LearntNetwork::learn(first.scenario, progress);
        if (!made) return tl::unexpected(made.error());
        learnt = std::move(*made);
    }
    return std::make_unique<NetworkRuns>(std::move(learnt), progress);
}

}  // namespace unlearn::sim::experiments
