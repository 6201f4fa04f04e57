#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "node/learning/distillation.hpp"
#include "node/learning/ensemble.hpp"
#include "node/learning/training.hpp"
#include "sim/report/progress.hpp"
#include "sim/run/prepare.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/support/workers.hpp"

/// What every node of a scenario learns by itself.
namespace unlearn::sim::run {

/// Every node's main model, trained on its own data, in the order of `setup.nodes`. @return one line that
/// names the node.
[[nodiscard]] tl::expected<std::vector<learning::MainModel>, std::string> train_main_models(
    const learning::OptimisationSettings& settings, const Setup& setup, support::Workers& workers,
    report::Progress& progress);

/// Every node's seed, distilled from its main model, in the same order.
[[nodiscard]] tl::expected<std::vector<learning::Seed>, std::string> distil_seeds(
    const learning::OptimisationSettings& settings, const Setup& setup,
    const std::vector<learning::MainModel>& main_models, support::Workers& workers,
    report::Progress& progress);

}  // namespace unlearn::sim::run
