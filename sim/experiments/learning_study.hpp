#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "sim/experiments/studies.hpp"

namespace unlearn::sim {

/// What nodes learn and how well they predict, without a network: every node trains and distils, every
/// neighbour is given its seed, and judges and mixes it as a production node does (learning::Member,
/// SeedVotes, choose_rho, Mixer). Data and main models are made once for all runs of a family; seeds once for
/// each way to distil them.
///
/// Rows, each of one holder (label `node`) after `departed` exits of the scenario, in their order:
///   accuracy   0 to 1; `scope` "own" (test set weighted by the node's classes, own prior) or "full" (uniform
///   prior);
///              `method` "main", "ensemble", "seed" (the node's own seed alone) or "one model"
///   gain       ensemble less main, by `scope`
///   recovered  on the full test set, what part of the way from "main" to "one model" the ensemble goes; of
///   the means
///              over all holders, so without `node`
///   rho        the weight of the seeds
///   aside      seeds of neighbours that the holder keeps out because they would do harm
/// Poisoned nodes are no holders here: their accuracy is nobody's concern.
[[nodiscard]] tl::expected<std::unique_ptr<Study>, std::string> make_learning_study(
    const ExperimentRun& first, Progress& progress);

}  // namespace unlearn::sim
