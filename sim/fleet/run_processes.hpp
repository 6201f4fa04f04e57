#pragma once

#include <filesystem>
#include <string>

#include <tl/expected.hpp>

#include "sim/report/progress.hpp"
#include "sim/report/run_result.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::fleet {

/// Why a run ended early: one line, and whether the user has to put something right.
struct RunFailure {
    std::string line;
    bool bad_input = false;
};

/// `unlearnd` in `folder`, or beside this program when no folder is given.
[[nodiscard]] tl::expected<std::filesystem::path, std::string> find_unlearnd(
    const std::filesystem::path& folder);

/// Runs a scenario with a process of `program` for every node. Writes to `folder` what `run_scenario` does,
/// and the nodes' own folders. Nothing is compared with a world without the leavers.
[[nodiscard]] tl::expected<report::RunResult, RunFailure> run_processes(const scenario::Scenario& scenario,
                                                                        const std::filesystem::path& program,
                                                                        const std::filesystem::path& folder,
                                                                        report::Progress& progress);

}  // namespace unlearn::sim::fleet
