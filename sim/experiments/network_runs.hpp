#pragma once

#include <memory>

#include <tl/expected.hpp>

#include "sim/experiments/studies.hpp"

namespace unlearn::sim::experiments {

/// run_network_study for each run of a family; its nodes learn once (network_study.hpp says which rows there
/// are).
[[nodiscard]] tl::expected<std::unique_ptr<Study>, std::string> make_network_runs(const ExperimentRun& first,
                                                                                  report::Progress& progress);

}  // namespace unlearn::sim::experiments
