#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "node/learning/data/result.hpp"
#include "sim/scenario/streams.hpp"

namespace unlearn::sim::scenario {

// Every node draws from the same mixture of classes as the whole data set.
struct IidPartition {};

// Each node's mixture of classes is drawn from a symmetric Dirichlet(alpha) (Hsu, Qi, Brown, arXiv
// 1909.06335): the smaller alpha, the fewer classes dominate a node. Where a class runs out, the node takes
// more of its others.
struct DirichletPartition {
    double alpha = 0.5;
};

// The data is sorted by class and cut into shards, of which each node gets some (McMahan et al., arXiv
// 1602.05629).
struct ShardPartition {
    std::size_t shards_per_node = 2;
};

// Each node lacks this many classes and holds equally many examples of each of the others. Which classes are
// missing goes round, so that each is missing at as few nodes as possible.
struct MissingClassesPartition {
    std::size_t missing_per_node = 2;
};

using PartitionKind = std::variant<IidPartition, DirichletPartition, ShardPartition, MissingClassesPartition>;

// How a public pool of labelled examples becomes a reference set and the private data of nodes. Always name
// *all* nodes of a scenario, also one that is to be taken out afterwards: shares must not depend on who takes
// part.
struct PartitionRequest {
    std::span<const std::int64_t> labels = {};
    std::int64_t class_count = 0;
    std::vector<std::string> node_names = {};
    std::size_t examples_per_node = 0;
    std::size_t reference_examples = 0;
    PartitionKind kind = IidPartition{};
};

struct Partition {
    std::vector<std::size_t> reference;  // drawn first, from all examples alike; sorted
    std::vector<std::vector<std::size_t>>
        node_share;  // one sorted list for each node name; no index occurs twice
};

// Draws the partition. It depends only on the labels, the set of names (not their order), the request's
// numbers and the seeds that `streams` gives. Fails if a name occurs twice or the examples do not suffice.
[[nodiscard]] learning::Result<Partition> draw_partition(const PartitionRequest& request,
                                                         StreamSource& streams);
[[nodiscard]] learning::Result<Partition> draw_partition(const PartitionRequest& request,
                                                         std::uint64_t scenario_seed);

}  // namespace unlearn::sim::scenario
