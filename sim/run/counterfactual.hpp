#pragma once

#include <string>
#include <vector>

#include "sim/report/run_result.hpp"
#include "sim/result.hpp"
#include "sim/run/world.hpp"

/// The proof: another process runs the same scenario, in an empty folder, without the nodes that left. Every
/// survivor must then predict the same there, bit for bit, as it does here after the exits.
namespace unlearn::sim::run {

/// Runs in the other process: learns, exchanges seeds, predicts, and writes the predictions to the options'
/// folder.
[[nodiscard]] Result<void> run_without(const scenario::Scenario& scenario,
                                       const std::vector<std::string>& without, const WorldOptions& options,
                                       report::Progress& progress);

/// What the check needs to know about this run.
struct CounterfactualRequest {
    const scenario::Scenario& scenario;
    const WorldOptions& options;  ///< of this run; its folder gets a folder for the other world
    std::vector<std::string> former_neighbours;  ///< survivors that held a leaver's seed
    const std::vector<Evaluation>& before;       ///< all nodes before the first exit
    const std::vector<Evaluation>& after;        ///< the survivors after the last exit
};

/// Starts the other process, waits for it and compares the predictions. @return an error of one line when the
/// other process failed, or when its predictions cannot be compared.
[[nodiscard]] Result<report::ExactnessResult> check_counterfactual(const CounterfactualRequest& request);

}  // namespace unlearn::sim::run
