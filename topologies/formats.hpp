#pragma once

#include <filesystem>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "topologies/graph.hpp"

namespace unlearn::topologies {

/// How a graph stands in a file.
enum class Format {
    kEdgeList,      ///< loaders.hpp; also what networkx writes with write_edgelist
    kJson,          ///< adjacency `{"a": ["b"], ...}`; read: also networkx' node_link_data and adjacency_data
    kGraphml,       ///< as networkx and others write it; of the attributes only the ids are read
    kDot,           ///< an undirected graph of Graphviz
    kAdjacencyList  ///< networkx' write_adjlist: in each line a node, then neighbours that no line above
                    ///< named
};

/// All names, in the order of `Format`: "edges", "json", "graphml", "dot", "adjlist".
[[nodiscard]] std::span<const std::string_view> format_names();
[[nodiscard]] std::optional<Format> parse_format(std::string_view name);
/// By the ending of the name; an edge list where it says nothing.
[[nodiscard]] Format format_of(const std::filesystem::path& file);

/// Reads a connected simple graph. Nodes keep their order and names; weights and other attributes are left
/// out; a directed graph is an error. @return one line that begins with the file's name.
[[nodiscard]] Result<Graph> load_graph(const std::filesystem::path& file, std::optional<Format> format = {});
/// The same from text.
[[nodiscard]] Result<Graph> parse_graph(const std::string& text, Format format, std::string_view file_name);

void write_graph(std::ostream& out, const Graph& graph, Format format);

}  // namespace unlearn::topologies
