#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "sim/report/progress.hpp"
#include "sim/run/world.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::run {

/// Runs a scenario from data to proof and writes result.json, events.jsonl, the certificates and report.html
/// to the options' folder, which is emptied first when it is an earlier run's. @return the result (schema 1,
/// see sim/README.md).
[[nodiscard]] tl::expected<nlohmann::json, std::string> run_scenario(const scenario::Scenario& scenario,
                                                                     const WorldOptions& options,
                                                                     report::Progress& progress);

/// Whether the run showed what it should: exact, nothing vacuous, no receipt missing.
[[nodiscard]] bool succeeded(const nlohmann::json& result);

}  // namespace unlearn::sim::run
