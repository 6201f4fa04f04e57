#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "sim/run/nodes.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/support/stopwatch.hpp"

namespace unlearn::sim::run {

/// What happened to the nodes from the first scores to the last exit.
struct Course {
    report::RunResult result;  ///< without exactness, traffic and seconds
    std::vector<Evaluation> first;
    std::vector<Evaluation> last;                ///< of the survivors
    std::vector<std::string> former_neighbours;  ///< survivors that held a leaver's seed
};

/// Scores everybody; then the scenario's exits, one after the other, with scores after each. Writes the
/// certificates to `folder`.
[[nodiscard]] tl::expected<Course, std::string> run_course(const scenario::Scenario& scenario, Nodes& nodes,
                                                           const std::filesystem::path& folder,
                                                           support::Stopwatch& watch);

}  // namespace unlearn::sim::run
