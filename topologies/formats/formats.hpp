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
    /// One edge `NAME NAME` a line, with blanks, commas, semicolons or tabs between the names; `node NAME`
    /// declares a node; `#` and `%` start comments. Also what networkx writes with write_edgelist and
    /// write_weighted_edgelist, and files that begin with the number of nodes or with a header like
    /// "source,target".
    ///
    /// Nodes are ordered as declared. A file that declares nodes declares all of them, so that a misspelt
    /// name in an edge is an error and not a new node; else they are ordered as they first appear.
    kEdgeList,
    kJson,          ///< adjacency `{"a": ["b"], ...}`; read: also networkx' node_link_data and adjacency_data
    kGraphml,       ///< as networkx and others write it; of the attributes only the ids are read
    kDot,           ///< an undirected graph of Graphviz
    kAdjacencyList  ///< networkx' write_adjlist: in each line a node, then neighbours that no line above
                    ///< named
};

/// All names, in the order of `Format`: "edges", "json", "graphml", "dot", "adjlist".
[[nodiscard]] std::span<const std::string_view> format_names();
[[nodiscard]] std::optional<Format> parse_format(std::string_view name);

/// The format that the ending of a name means, "graph.json.gz" like "graph.json". A name without an ending is
/// an edge list. Nothing for every other ending.
[[nodiscard]] std::optional<Format> format_of(const std::filesystem::path& file);
/// The endings that `format_of` knows, for messages.
[[nodiscard]] std::string known_endings();

/// Reads a connected simple graph from a file, gzipped or not. Nodes keep their order and names; weights and
/// other attributes are left out. An edge that comes twice, in either direction, is one. What would be lost
/// or could mean two things is an error: directed edges, equal names, a second or an inner graph, hyperedges.
/// A file of unknown ending is read as an edge list.
/// @return one line that begins with the file's name, and the line where there is one
[[nodiscard]] Result<Graph> load_graph(const std::filesystem::path& file, std::optional<Format> format = {});
/// The same from text.
[[nodiscard]] Result<Graph> parse_graph(std::string_view text, Format format, std::string_view file_name);

void write_graph(std::ostream& out, const Graph& graph, Format format);
/// Writes a file, gzipped when its name ends in .gz.
[[nodiscard]] Result<void> save_graph(const std::filesystem::path& file, const Graph& graph, Format format);

}  // namespace unlearn::topologies
