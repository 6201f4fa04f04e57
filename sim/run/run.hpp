#pragma once

#include <string>

#include <tl/expected.hpp>

#include "sim/report/progress.hpp"
#include "sim/report/run_result.hpp"
#include "sim/run/world.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::run {

/// Runs a scenario from data to proof and writes result.json, events.jsonl, the certificates and report.html
/// to the options' folder, which is emptied first when it is an earlier run's. @return one line when it could
/// not be run.
[[nodiscard]] tl::expected<report::RunResult, std::string> run_scenario(const scenario::Scenario& scenario,
                                                                        const WorldOptions& options,
                                                                        report::Progress& progress);

}  // namespace unlearn::sim::run
