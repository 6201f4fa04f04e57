#pragma once

#include <string>
#include <vector>

#include "node/learning/distillation.hpp"
#include "node/learning/ensemble/ensemble.hpp"
#include "node/learning/training.hpp"
#include "sim/report/progress.hpp"
#include "sim/result.hpp"
#include "sim/run/prepare.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/support/workers.hpp"

/// What each node of a scenario learns by itself.
namespace unlearn::sim::run {

/// Trains every node's main model on that node's own data, in the order of `setup.nodes`. @return an error of
/// one line that names the node.
[[nodiscard]] Result<std::vector<learning::MainModel>> train_main_models(
    const learning::OptimisationSettings& settings, const Setup& setup, support::Workers& workers,
    report::Progress& progress);

/// Distils every node's seed from its main model, in the same order. @return an error of one line that names
/// the node.
[[nodiscard]] Result<std::vector<learning::Seed>> distil_seeds(
    const learning::OptimisationSettings& settings, const Setup& setup,
    const std::vector<learning::MainModel>& main_models, support::Workers& workers,
    report::Progress& progress);

}  // namespace unlearn::sim::run
