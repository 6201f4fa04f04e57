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

/// Position of a node in `Graph::names`.
using NodeIndex = std::uint32_t;

/// An undirected link, lower index first.
using Edge = std::pair<NodeIndex, NodeIndex>;

/// Which nodes are linked: a simple undirected graph whose nodes have names.
///
/// A plain value. `make_graph` and the generators and loaders return graphs in which names are unique and
/// valid and edges are simple and sorted; code that fills one by hand must keep it so.
struct Graph {
    std::vector<std::string> names;
    std::vector<Edge> edges;  ///< a < b in each; sorted; unique

    [[nodiscard]] std::size_t size() const { return names.size(); }

    /// The node of this name, if there is one.
    [[nodiscard]] std::optional<NodeIndex> index_of(std::string_view name) const;

    /// Nodes linked to `node`, ascending. Looks at every edge; use `adjacency` when asking for all nodes.
    [[nodiscard]] std::vector<NodeIndex> neighbours(NodeIndex node) const;

    /// Number of neighbours of `node`.
    [[nodiscard]] std::size_t degree(NodeIndex node) const;

    /// The neighbours of every node, ascending, in the order of `names`.
    [[nodiscard]] std::vector<std::vector<NodeIndex>> adjacency() const;

    /// The first node that cannot be reached from the first one, if there is one.
    [[nodiscard]] std::optional<NodeIndex> first_unreachable() const;

    /// Whether every node reaches every other one. True for a single node, false for none.
    [[nodiscard]] bool connected() const;

    /// The world in which `name` never was: all other nodes, in the same order and under the same names, with
    /// the edges between them. It may be disconnected. An error when there is no such node.
    [[nodiscard]] Result<Graph> induced_subgraph_without(std::string_view name) const;

    bool operator==(const Graph&) const = default;
};

/// Brings edges in any order and direction into the form `Graph` promises. An error for an empty graph, a bad
/// or repeated name, an index out of range, a self loop or an edge given twice.
[[nodiscard]] Result<Graph> make_graph(std::vector<std::string> names, std::vector<Edge> edges);

/// The names of nodes that were given none: "node-0", "node-1", ...
[[nodiscard]] std::vector<std::string> default_names(std::size_t nodes);

/// Whether `name` can name a node: 1 to 64 letters, digits, '-', '_' or '.', starting with a letter or a
/// digit, and not "node", which declares one in an edge list and means something else in DOT. Names become
/// parts of file names, so nothing else is let in.
[[nodiscard]] bool is_valid_node_name(std::string_view name);

/// What `is_valid_node_name` asks for, in words for messages.
inline constexpr std::string_view kNodeNameRule =
    "1 to 64 letters, digits, '-', '_' or '.', starting with a letter or a digit, and not 'node'";

/// The complaint about a name that is not valid, in one line whatever the name holds.
[[nodiscard]] std::string bad_node_name(std::string_view name);

}  // namespace unlearn::topologies
