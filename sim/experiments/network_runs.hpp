#pragma once

#include <memory>

#include "sim/experiments/studies.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::experiments {

/// Makes the study that calls run_network_study for each run of a family, whose nodes learn only once. Rows:
/// topologies/experiments/results.md.
[[nodiscard]] Result<std::unique_ptr<Study>> make_network_runs(const ExperimentRun& first,
                                                               report::Progress& progress);

}  // namespace unlearn::sim::experiments
