#include "sim/experiments/studies.hpp"

#include "sim/experiments/comparison_study.hpp"
#include "sim/experiments/learning_study.hpp"
#include "sim/experiments/network_runs.hpp"

namespace unlearn::sim::experiments {

tl::expected<std::unique_ptr<Study>, std::string> make_study(StudyKind kind, const ExperimentRun& first,
                                                             report::Progress& progress) {
    switch (kind) {
        case StudyKind::kLearning:
            return make_learning_study(first, progress);
        case StudyKind::kComparison:
            return make_comparison_study(first, progress);
        case StudyKind::kNetwork:
            return make_network_runs(first, progress);
    }
    return tl::unexpected<std::string>("this kind of study is not built in");
}

}  // namespace unlearn::sim::experiments
