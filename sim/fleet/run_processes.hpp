#pragma once

#include <filesystem>
#include <string>

#include "sim/report/progress.hpp"
#include "sim/report/run_result.hpp"
#include "sim/result.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::fleet {

/// Finds `unlearnd` in `folder`, or beside this program if no folder is given. @return an error of one line
/// if there is no such program.
[[nodiscard]] Result<std::filesystem::path> find_unlearnd(const std::filesystem::path& folder);

/// Runs a scenario with a process of `program` for every node. Writes what `run_scenario` writes to `folder`,
/// and the nodes' own folders. Nothing is compared with a world without the leavers.
[[nodiscard]] Result<report::RunResult> run_processes(const scenario::Scenario& scenario,
                                                      const std::filesystem::path& program,
                                                      const std::filesystem::path& folder,
                                                      report::Progress& progress);

}  // namespace unlearn::sim::fleet
