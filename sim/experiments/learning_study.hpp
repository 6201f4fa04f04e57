#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "sim/experiments/studies.hpp"

namespace unlearn::sim::experiments {

/// What nodes learn and how well they predict, without a network: every node trains and distils, every
/// neighbour is given its seed, and judges and mixes it with the code of a production node (learning::Member,
/// learning::Ensemble). Data and main models are made once for all runs of a family; seeds once for each way
/// to distil them.
///
/// Rows: topologies/experiments/results.md.
[[nodiscard]] tl::expected<std::unique_ptr<Study>, std::string> make_learning_study(
    const ExperimentRun& first, report::Progress& progress);

}  // namespace unlearn::sim::experiments
