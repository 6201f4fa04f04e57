#pragma once

#include <filesystem>

#include <toml++/toml.h>

#include "node/config/toml_reader.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::scenario {

/// The scenario in a table that was read already; what is wrong goes to `complaints`, and the result then
/// means nothing. `file` is where the table came from: relative paths start at its folder.
[[nodiscard]] Scenario read_scenario(const toml::table& table, const std::filesystem::path& file,
                                     const ScenarioOptions& options, config::Complaints& complaints);

/// The text of a scenario or experiment file, or one line that says why not.
[[nodiscard]] tl::expected<std::string, ScenarioError> read_scenario_file(const std::filesystem::path& file);

}  // namespace unlearn::sim::scenario
