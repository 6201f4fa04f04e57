#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "node/config/node_data.hpp"
#include "sim/result.hpp"
#include "sim/run/prepare.hpp"
#include "sim/scenario/scenario.hpp"

/// Writes a scenario as the files of real nodes.
namespace unlearn::sim::fleet {

/// The paths of one node's files.
struct DaemonFiles {
    std::filesystem::path folder;
    std::filesystem::path config;
    std::filesystem::path data_dir;  ///< identity, binding, state
    std::filesystem::path socket;    ///< socket of its control API
    std::filesystem::path log;
};

/// The files of all nodes.
struct FleetFiles {
    std::vector<DaemonFiles> nodes;  ///< in the order of `Setup::nodes`
    config::Scaling scaling;         ///< the scaling that the nodes apply to the numbers in their data files
};

/// Writes everything that the daemons need into `folder`: the data, configuration, identity and binding of
/// each node, and one reference set for all. The identities are those of `setup`. Unlike those that
/// `unlearnctl init` makes, they are the same in every run of the scenario.
[[nodiscard]] Result<FleetFiles> write_fleet(const scenario::Scenario& scenario, const run::Setup& setup,
                                             const std::filesystem::path& folder);

}  // namespace unlearn::sim::fleet
