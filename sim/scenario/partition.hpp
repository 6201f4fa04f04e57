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

/// Every node draws from the same mixture of classes as the whole data set.
struct IidPartition {};

/// Each node's mixture of classes is drawn from a symmetric Dirichlet(alpha) (Hsu, Qi, Brown, arXiv
/// 1909.06335): the smaller alpha is, the fewer classes dominate a node. If a class runs out, the node takes
/// more of its other classes.
struct DirichletPartition {
    double alpha = 0.5;
};

/// The data is sorted by class and cut into shards, and each node gets some of them (McMahan et al., arXiv
/// 1602.05629).
struct ShardPartition {
    std::size_t shards_per_node = 2;
};

/// Each node lacks this many classes and has equally many examples of each of the others. The missing classes
/// rotate, so that each is missing at as few nodes as possible.
struct MissingClassesPartition {
    std::size_t missing_per_node = 2;
};

/// How the data is divided among the nodes.
using PartitionKind = std::variant<IidPartition, DirichletPartition, ShardPartition, MissingClassesPartition>;

/// A request to divide a public pool of labelled examples into a reference set and the private data of nodes.
/// Always name *all* nodes of a scenario, even one that is to be taken out afterwards: shares must not depend
/// on which nodes take part.
struct PartitionRequest {
    std::span<const std::int64_t> labels = {};
    std::int64_t class_count = 0;
    std::vector<std::string> node_names = {};
    std::size_t examples_per_node = 0;
    std::size_t reference_examples = 0;
    PartitionKind kind = IidPartition{};
};

/// The result of draw_partition(). It holds indices into the labels.
struct Partition {
    std::vector<std::size_t> reference;  ///< drawn first, uniformly from all examples; sorted
    /// One sorted list for each node name. No index occurs twice.
    std::vector<std::vector<std::size_t>> node_share;
};

/// Draws the partition. It depends only on the labels, the set of names (not their order), the numbers in the
/// request and the seeds from `streams`. Fails if a name occurs twice or if there are too few examples.
[[nodiscard]] learning::Result<Partition> draw_partition(const PartitionRequest& request,
                                                         StreamSource& streams);
[[nodiscard]] learning::Result<Partition> draw_partition(const PartitionRequest& request,
                                                         std::uint64_t scenario_seed);

}  // namespace unlearn::sim::scenario
