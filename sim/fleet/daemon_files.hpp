#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "node/config/node_data.hpp"
#include "sim/run/prepare.hpp"
#include "sim/scenario/scenario.hpp"

/// A scenario as the files of real nodes.
namespace unlearn::sim::fleet {

/// Where one node's files are.
struct DaemonFiles {
    std::filesystem::path folder;
    std::filesystem::path config;
    std::filesystem::path data_dir;  ///< identity, binding, state
    std::filesystem::path socket;    ///< of its control API
    std::filesystem::path log;
};

struct FleetFiles {
    std::vector<DaemonFiles> nodes;  ///< in the order of `Setup::nodes`
    config::Scaling scaling;         ///< that the nodes apply to what their data files say
};

/// Writes everything that the daemons need into `folder`: for each node its data, configuration, identity
/// and binding, and the reference set for all. The identities are those of `setup` and thus the same in
/// every run of the scenario, unlike those that `unlearnctl init` makes.
[[nodiscard]] tl::expected<FleetFiles, std::string> write_fleet(const scenario::Scenario& scenario,
                                                                const run::Setup& setup,
                                                                const std::filesystem::path& folder);

}  // namespace unlearn::sim::fleet
