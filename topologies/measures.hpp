#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "topologies/graph.hpp"

namespace unlearn::topologies {

/// A node whose removal disconnects the graph.
struct ArticulationPoint {
    NodeIndex node = 0;
    std::size_t parts = 0;    ///< the number of parts left, 2 or more
    std::size_t cut_off = 0;  ///< nodes outside the largest part
    bool operator==(const ArticulationPoint&) const = default;
};

/// The measures of a network's shape.
struct Measures {
    std::size_t nodes = 0;
    std::size_t edges = 0;
    std::size_t least_degree = 0;
    std::size_t most_degree = 0;
    double mean_degree = 0.0;
    std::size_t diameter = 0;   ///< hops between the two nodes that are farthest apart
    double average_path = 0.0;  ///< hops, averaged over all pairs
    double clustering = 0.0;    ///< mean local clustering coefficient (Watts and Strogatz, 1998)
    /// 1 - max(|second largest|, |smallest|) eigenvalue of the Metropolis-Hastings mixing matrix: how fast
    /// averaging between neighbours forgets its starting point. 0 if it never does.
    double spectral_gap = 0.0;
    /// For each node, the share of the shortest paths between other nodes that pass through it, 0 to 1
    /// (Brandes, 2001).
    std::vector<double> betweenness;
    std::vector<ArticulationPoint> articulation_points;  ///< ascending
};

/// Measures a connected graph of at least 2 nodes. Fails if the eigenvalues do not converge.
[[nodiscard]] Result<Measures> measure(const Graph& graph);

/// Computes only the betweenness of every node.
[[nodiscard]] std::vector<double> betweenness_of(const Graph& graph);

/// A row of the mixing matrix: one weight for each neighbour, and the rest for the node itself. Rows and
/// columns sum to 1 (Xiao and Boyd, 2004). w_ij = 1 / (1 + max(degree i, degree j)).
struct MixingRow {
    double own = 1.0;
    std::vector<std::pair<NodeIndex, double>> neighbours;
};
/// Returns the Metropolis-Hastings mixing matrix, one row for each node.
[[nodiscard]] std::vector<MixingRow> metropolis_hastings(const Graph& graph);

}  // namespace unlearn::topologies
