#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/learning/data/architecture.hpp"
#include "node/learning/dataset.hpp"
#include "protocol/digest.hpp"
#include "protocol/identity.hpp"
#include "sim/result.hpp"
#include "sim/run/violations.hpp"
#include "sim/scenario/scenario.hpp"

/// Turns a scenario into what every node starts with. Everything is drawn for *all* nodes of the scenario, by
/// name. The nodes that a world does without are removed afterwards, so that nothing that remains depends on
/// them.
namespace unlearn::sim::run {

/// The identity, models and data of one node.
struct NodeSetup {
    std::string name;
    protocol::Identity identity;
    std::vector<std::size_t> neighbours;  ///< positions in `Setup::nodes`
    learning::Architecture main_architecture;
    learning::Architecture seed_architecture;
    learning::Dataset own;  ///< all data of the node, including validation data
    learning::ValidationSplit split;
    std::vector<std::string> missing_classes;
};

/// Whether the numbers of tables are those of the files, or are standardised by the reference set as a node
/// does it before it learns. Pixels are scaled to [0, 1] in any case.
enum class Numbers { standardised, raw };

/// Everything that the nodes of one world start with.
struct Setup {
    std::vector<std::string> class_names;
    std::vector<std::string> columns;   ///< names of a table's features; empty for images
    std::vector<std::string> warnings;  ///< "FILE: ...": suspicious columns and classes
    learning::Dataset test;
    learning::ReferenceSet reference;
    std::shared_ptr<const learning::FeatureMap> features;  ///< null in a network without
    protocol::NetworkId network;
    std::unique_ptr<scenario::StreamSource> streams;
    std::vector<NodeSetup> nodes;  ///< in the order of the scenario's graph, without the nodes left out
};

/// Returns the keys of a scenario's node. They are only for the simulator, where a name has the same key in
/// every world; a real node's key is random.
[[nodiscard]] protocol::Identity identity_of(std::uint64_t scenario_seed, const std::string& name);

/// Loads the data and divides it among the nodes. `without` names the nodes to leave out afterwards. @return
/// an error of one line that names the file or key.
[[nodiscard]] Result<Setup> prepare(const scenario::Scenario& scenario,
                                    const std::vector<std::string>& without, Violation violation,
                                    Numbers numbers = Numbers::standardised);

}  // namespace unlearn::sim::run
