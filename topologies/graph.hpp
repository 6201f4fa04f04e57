#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "topologies/error.hpp"

namespace unlearn::topologies {

/// The position of a node in `Graph::names`.
using NodeIndex = std::uint32_t;

/// An undirected link, with the lower index first.
using Edge = std::pair<NodeIndex, NodeIndex>;

/// A simple undirected graph whose nodes have names.
///
/// It is a plain value. In the graphs that `make_graph`, the generators and the loaders return, names are
/// unique and valid, and edges are simple and sorted. Code that fills one by hand must ensure the same.
struct Graph {
    std::vector<std::string> names;
    std::vector<Edge> edges;  ///< a < b in each; sorted; unique

    [[nodiscard]] std::size_t size() const { return names.size(); }

    /// Returns the node of this name, if there is one.
    [[nodiscard]] std::optional<NodeIndex> index_of(std::string_view name) const;

    /// Returns the nodes linked to `node` in ascending order. Looks at every edge; use `adjacency` to get the
    /// neighbours of all nodes.
    [[nodiscard]] std::vector<NodeIndex> neighbours(NodeIndex node) const;

    /// Returns the number of neighbours of `node`.
    [[nodiscard]] std::size_t degree(NodeIndex node) const;

    /// Returns the neighbours of every node, ascending, in the order of `names`.
    [[nodiscard]] std::vector<std::vector<NodeIndex>> adjacency() const;

    /// Returns the first node that cannot be reached from node 0, if there is one.
    [[nodiscard]] std::optional<NodeIndex> first_unreachable() const;

    /// Whether every node can reach every other node. True for a single node, false for an empty graph.
    [[nodiscard]] bool connected() const;

    /// Returns the graph as if `name` had never been in it: all other nodes, in the same order and under the
    /// same names, with the edges between them. The result may be disconnected. Fails if there is no such
    /// node.
    [[nodiscard]] Result<Graph> induced_subgraph_without(std::string_view name) const;

    bool operator==(const Graph&) const = default;
};

/// Makes a graph from edges in any order and direction. Fails for an empty graph, an invalid or repeated
/// name, an index out of range, a self-loop, or an edge that is given twice.
[[nodiscard]] Result<Graph> make_graph(std::vector<std::string> names, std::vector<Edge> edges);

/// Returns names for nodes that have none: "node-0", "node-1", ...
[[nodiscard]] std::vector<std::string> default_names(std::size_t nodes);

/// Whether `name` can name a node: 1 to 64 letters, digits, '-', '_' or '.', starting with a letter or a
/// digit, and not "node", which declares a node in an edge list and is a keyword in DOT. Names become parts
/// of file names, so nothing else is allowed.
[[nodiscard]] bool is_valid_node_name(std::string_view name);

/// The rule of `is_valid_node_name` in words, for messages.
inline constexpr std::string_view kNodeNameRule =
    "1 to 64 letters, digits, '-', '_' or '.', starting with a letter or a digit, and not 'node'";

/// Returns the error message for an invalid name, in one line whatever the name contains.
[[nodiscard]] std::string bad_node_name(std::string_view name);

}  // namespace unlearn::topologies
