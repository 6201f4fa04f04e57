#pragma once

#include <memory>
#include <string>

#include "sim/experiments/studies.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::experiments {

/// Compares HDUS, D-PSGD and FedAvg on the same data and graph. Each must then forget the node of the
/// scenario's first exit. HDUS runs over real sockets. In the other methods the survivors' parameters contain
/// what the leaver taught. They are trained again until the survivors' mean accuracy is `target` of what it
/// was before: from the start ("retrain"), or from the latest states that the leaver's data had not reached
/// ("roll back").
///
/// Rows: topologies/experiments/results.md.
[[nodiscard]] Result<std::unique_ptr<Study>> make_comparison_study(const ExperimentRun& first,
                                                                   report::Progress& progress);

}  // namespace unlearn::sim::experiments
