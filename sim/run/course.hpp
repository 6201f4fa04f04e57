#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/result.hpp"
#include "sim/run/nodes.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/support/stopwatch.hpp"

namespace unlearn::sim::run {

/// What happened to the nodes from the first evaluation to the last exit.
struct Course {
    report::RunResult result;  ///< does not include exactness, traffic and seconds
    std::vector<Evaluation> first;
    std::vector<Evaluation> last;                ///< of the survivors, after the last exit
    std::vector<std::string> former_neighbours;  ///< survivors that held a leaver's seed
};

/// Evaluates all nodes, then performs the scenario's exits one after the other, with an evaluation after
/// each. Writes the certificates to `folder`.
[[nodiscard]] Result<Course> run_course(const scenario::Scenario& scenario, Nodes& nodes,
                                        const std::filesystem::path& folder, support::Stopwatch& watch);

}  // namespace unlearn::sim::run
