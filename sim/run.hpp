#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "sim/progress.hpp"
#include "sim/scenario.hpp"
#include "sim/world.hpp"

namespace unlearn::sim {

/// Runs a scenario from data to proof and writes result.json, events.jsonl, the certificates and report.html
/// to the options' folder, which is emptied first when it is an earlier run's. @return the result (schema 1,
/// see sim/README.md).
[[nodiscard]] tl::expected<nlohmann::json, std::string> run_scenario(const Scenario& scenario,
                                                                     const WorldOptions& options,
                                                                     Progress& progress);

/// Whether the run showed what it should: exact, nothing vacuous, no receipt missing.
[[nodiscard]] bool succeeded(const nlohmann::json& result);

}  // namespace unlearn::sim
