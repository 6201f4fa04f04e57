#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "sim/experiments/experiment.hpp"
#include "sim/report/progress.hpp"

namespace unlearn::sim::experiments {

/// What is done with the runs of one family, one after the other.
class Study {
  public:
    virtual ~Study() = default;
    /// @return the run's rows, without the swept labels, or one line that says what is wrong.
    [[nodiscard]] virtual tl::expected<std::vector<report::Row>, std::string> run(
        const ExperimentRun& run) = 0;
};

/// `first` is any run of the family. Loads and trains what all its runs share; errors are one line.
[[nodiscard]] tl::expected<std::unique_ptr<Study>, std::string> make_study(StudyKind kind,
                                                                           const ExperimentRun& first,
                                                                           report::Progress& progress);

}  // namespace unlearn::sim::experiments
