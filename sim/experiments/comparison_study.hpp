#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "sim/experiments/studies.hpp"

namespace unlearn::sim::experiments {

/// HDUS, D-PSGD and FedAvg on the same data and graph; then the scenario's first exit must be forgotten in
/// each. HDUS runs over real sockets. In the others every survivor's parameters hold what the leaver taught:
/// they are trained again until the survivors' mean accuracy is `target` of what it was, from the start
/// ("retrain") or from the latest states that the leaver's data had not reached ("roll back").
///
/// Rows: topologies/experiments/results.md.
[[nodiscard]] tl::expected<std::unique_ptr<Study>, std::string> make_comparison_study(
    const ExperimentRun& first, report::Progress& progress);

}  // namespace unlearn::sim::experiments
