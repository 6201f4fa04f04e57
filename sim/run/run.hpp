#pragma once

#include <string>

#include "sim/report/progress.hpp"
#include "sim/report/run_result.hpp"
#include "sim/result.hpp"
#include "sim/run/world.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::run {

/// Runs a scenario from data to proof. Writes result.json, events.jsonl, the certificates and report.html to
/// the options' folder. If the folder is an earlier run's, it is emptied first. @return an error of one line
/// when the run failed.
[[nodiscard]] Result<report::RunResult> run_scenario(const scenario::Scenario& scenario,
                                                     const WorldOptions& options, report::Progress& progress);

}  // namespace unlearn::sim::run
