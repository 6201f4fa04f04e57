#include "sim/experiments/studies.hpp"

#include "sim/experiments/comparison_study.hpp"
#include "sim/experiments/learning_study.hpp"
#include "sim/experiments/network_runs.hpp"

namespace unlearn::sim::experiments {

Result<std::unique_ptr<Study>> make_study(StudyKind kind, const ExperimentRun& first,
                                          report::Progress& progress) {
    switch (kind) {
        case StudyKind::learning:
            return make_learning_study(first, progress);
        case StudyKind::comparison:
            return make_comparison_study(first, progress);
        case StudyKind::network:
            return make_network_runs(first, progress);
    }
    return failed_with("this kind of study is not built in");
}

}  // namespace unlearn::sim::experiments
