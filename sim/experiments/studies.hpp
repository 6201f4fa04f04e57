#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/experiments/experiment.hpp"
#include "sim/report/progress.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::experiments {

/// Measures the runs of one family, one after the other.
class Study {
  public:
    virtual ~Study() = default;
    /// Measures one run. @return its rows without the swept labels, or an error of one line.
    [[nodiscard]] virtual Result<std::vector<report::Row>> run(const ExperimentRun& run) = 0;
};

/// Makes a study. `first` is any run of the family. Loads and trains what all its runs share. Errors are one
/// line.
[[nodiscard]] Result<std::unique_ptr<Study>> make_study(StudyKind kind, const ExperimentRun& first,
                                                        report::Progress& progress);

}  // namespace unlearn::sim::experiments
