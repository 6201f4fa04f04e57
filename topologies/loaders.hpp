#pragma once

#include <filesystem>
#include <istream>
#include <string_view>

#include "topologies/graph.hpp"

namespace unlearn::topologies {

// Graphs from files. The result is connected, simple and named as the file says; anything else is an error of
// one line that begins with FILE:LINE (or FILE alone, when the file cannot be read).

/// An edge list: one edge `NAME NAME` a line; `node NAME` declares a node; `#` starts a comment; empty lines
/// are ignored, and so is what networkx writes behind an edge: data in braces, or a weight. (An adjacency
/// list is not mistaken for weights: its last line has one word.)
///
/// Nodes are ordered as declared. A file that declares nodes declares all of them, so that a misspelt name in
/// an edge is an error and not a new node; in a file that declares none, nodes are ordered as they first
/// appear.
[[nodiscard]] Result<Graph> load_edge_list(const std::filesystem::path& file);

/// The same from a stream. `file_name` is what errors call it.
[[nodiscard]] Result<Graph> parse_edge_list(std::istream& input, std::string_view file_name);

}  // namespace unlearn::topologies
