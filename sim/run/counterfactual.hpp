#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "sim/report/run_result.hpp"
#include "sim/run/world.hpp"

/// The proof: in another process and an empty folder, the same scenario is run without the nodes that left.
/// Every survivor must then predict the same, bit for bit, as it does here after the exits.
namespace unlearn::sim::run {

/// What runs in the other process: learn, exchange, predict, write the predictions to the
/// options' folder.
[[nodiscard]] tl::expected<void, std::string> run_without(const scenario::Scenario& scenario,
                                                          const std::vector<std::string>& without,
                                                          const WorldOptions& options,
                                                          report::Progress& progress);

struct CounterfactualRequest {
    const scenario::Scenario& scenario;
    const WorldOptions& options;                 ///< of this run; the other world gets a folder in its folder
    std::vector<std::string> former_neighbours;  ///< survivors that held a leaver's seed
    const std::vector<Evaluation>& before;       ///< all nodes before the first exit
    const std::vector<Evaluation>& after;        ///< the survivors after the last
};

/// Starts the other process, waits for it and compares. @return one line when the other
/// process failed.
[[nodiscard]] tl::expected<report::ExactnessResult, std::string> check_counterfactual(
    const CounterfactualRequest& request);

}  // namespace unlearn::sim::run
