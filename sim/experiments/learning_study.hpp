#pragma once

#include <memory>
#include <string>

#include "sim/experiments/studies.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::experiments {

/// Measures what nodes learn and how well they predict, without a network. Every node trains and distils.
/// Every neighbour gets its seed, and judges and mixes it with the code of a production node
/// (learning::Member, learning::Ensemble). Data and main models are made once for all runs of a family, seeds
/// once for each way to distil them.
///
/// Rows: topologies/experiments/results.md.
[[nodiscard]] Result<std::unique_ptr<Study>> make_learning_study(const ExperimentRun& first,
                                                                 report::Progress& progress);

}  // namespace unlearn::sim::experiments
