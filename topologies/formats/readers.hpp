#pragma once

#include <string_view>

#include "topologies/formats/graph_builder.hpp"

/// One reader for each format. They take the text of a file, in UTF-8 and without a byte-order mark, and an
/// empty builder that knows the file's name.
namespace unlearn::topologies {

/// An edge list: `NAME NAME` a line; see formats.hpp.
///
/// @param certain  the user said that it is an edge list: a third number of a line is then a weight
[[nodiscard]] Result<Graph> read_edge_list(std::string_view text, GraphBuilder& builder, bool certain);
/// networkx' adjacency list: in each line a node, then neighbours.
[[nodiscard]] Result<Graph> read_adjacency_list(std::string_view text, GraphBuilder& builder);
/// JSON: an adjacency, or networkx' node_link_data and adjacency_data.
[[nodiscard]] Result<Graph> read_json(std::string_view text, GraphBuilder& builder);
/// GraphML (graphml.graphdrawing.org).
[[nodiscard]] Result<Graph> read_graphml(std::string_view text, GraphBuilder& builder);
/// The DOT language of Graphviz (graphviz.org/doc/info/lang.html).
[[nodiscard]] Result<Graph> read_dot(std::string_view text, GraphBuilder& builder);

}  // namespace unlearn::topologies
