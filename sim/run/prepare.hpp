#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/learning/data/architecture.hpp"
#include "node/learning/dataset.hpp"
#include "protocol/digest.hpp"
#include "protocol/identity.hpp"
#include "sim/run/violations.hpp"
#include "sim/scenario/scenario.hpp"

/// From a scenario to what every node starts with. All of it is drawn for *all* nodes of the scenario by
/// name; the node that a world is to be without is taken out afterwards, so that nothing that remains depends
/// on it.
namespace unlearn::sim::run {

/// Who one node is and what it may learn from.
struct NodeSetup {
    std::string name;
    protocol::Identity identity;
    std::vector<std::size_t> neighbours;  ///< positions in `Setup::nodes`
    learning::Architecture main_architecture;
    learning::Architecture seed_architecture;
    learning::Dataset own;  ///< all of its data, validation included
    learning::ValidationSplit split;
    std::vector<std::string> missing_classes;
};

/// Whether the numbers of tables are those of the files, or standardised by the reference set as a node does
/// it before it learns. Pixels are scaled to [0, 1] in any case.
enum class Numbers { standardised, raw };

struct Setup {
    std::vector<std::string> class_names;
    std::vector<std::string> columns;   ///< names of a table's features; empty for images
    std::vector<std::string> warnings;  ///< "FILE: ...": columns that are rarely meant to be learnt from
    learning::Dataset test;
    learning::ReferenceSet reference;
    protocol::NetworkId network;
    std::unique_ptr<scenario::StreamSource> streams;
    std::vector<NodeSetup> nodes;  ///< in the order of the scenario's graph, without the nodes left out
};

/// The keys of a scenario's node. Only for the simulator: a real node's key is random. Here a name always has
/// the same key, in every world.
[[nodiscard]] protocol::Identity identity_of(std::uint64_t scenario_seed, const std::string& name);

/// Loads the data and deals it out. `without`: names of nodes to leave out afterwards.
/// @return one line that names the file or key.
[[nodiscard]] tl::expected<Setup, std::string> prepare(const scenario::Scenario& scenario,
                                                       const std::vector<std::string>& without,
                                                       Violation violation,
                                                       Numbers numbers = Numbers::standardised);

}  // namespace unlearn::sim::run
