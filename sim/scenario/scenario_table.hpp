#pragma once

#include <filesystem>

#include <toml++/toml.h>

#include "node/config/toml_reader.hpp"
#include "sim/result.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::scenario {

/// Reads a scenario from a table that was already parsed. Errors go to `complaints`, and the result is then
/// meaningless. `file` is where the table came from; relative paths start at its folder.
[[nodiscard]] Scenario read_scenario(const toml::table& table, const std::filesystem::path& file,
                                     const ScenarioOptions& options, config::Complaints& complaints);

/// Returns the text of a scenario or experiment file. An error is one line.
[[nodiscard]] Result<std::string> read_scenario_file(const std::filesystem::path& file);

}  // namespace unlearn::sim::scenario
