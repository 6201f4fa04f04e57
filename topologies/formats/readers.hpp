#pragma once

#include <string_view>

#include "topologies/formats/graph_builder.hpp"

/// One reader for each format. Each takes the text of a file, in UTF-8 and without a byte-order mark, and an
/// empty builder that knows the file's name.
namespace unlearn::topologies {

/// Reads an edge list with one `NAME NAME` per line; see formats.hpp. If the user said that the file is an
/// edge list, `certain` is true, and the third number in a line is a weight.
[[nodiscard]] Result<Graph> read_edge_list(std::string_view text, GraphBuilder& builder, bool certain);
/// Reads networkx' adjacency list: each line has a node, then neighbours.
[[nodiscard]] Result<Graph> read_adjacency_list(std::string_view text, GraphBuilder& builder);
/// Reads JSON: an adjacency, or networkx' node_link_data and adjacency_data.
[[nodiscard]] Result<Graph> read_json(std::string_view text, GraphBuilder& builder);
/// Reads GraphML (graphml.graphdrawing.org).
[[nodiscard]] Result<Graph> read_graphml(std::string_view text, GraphBuilder& builder);
/// Reads the DOT language of Graphviz (graphviz.org/doc/info/lang.html).
[[nodiscard]] Result<Graph> read_dot(std::string_view text, GraphBuilder& builder);

}  // namespace unlearn::topologies
