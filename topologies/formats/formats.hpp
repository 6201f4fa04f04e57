#pragma once

#include <filesystem>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "topologies/graph.hpp"

namespace unlearn::topologies {

/// The file formats of graphs.
enum class Format {
    /// One edge `NAME NAME` per line, with blanks, commas, semicolons or tabs between the names. `node NAME`
    /// declares a node; `#` and `%` start comments. Also read: what networkx writes with write_edgelist and
    /// write_weighted_edgelist, and files that begin with the number of nodes or with a header like
    /// "source,target".
    ///
    /// Nodes keep the order of their declarations. A file that declares nodes must declare all of them, so
    /// that a misspelt name in an edge is an error and not a new node. Without declarations, nodes are
    /// ordered by their first appearance.
    edge_list,
    json,           ///< adjacency `{"a": ["b"], ...}`; also reads networkx' node_link_data, adjacency_data
    graphml,        ///< as networkx and others write it; of the attributes, only the ids are read
    dot,            ///< an undirected graph of Graphviz
    adjacency_list  ///< networkx' write_adjlist: each line has a node, then its neighbours further down
};

/// Returns all names, in the order of `Format`: "edges", "json", "graphml", "dot", "adjlist".
[[nodiscard]] std::span<const std::string_view> format_names();
/// Returns the format of this name, or nothing.
[[nodiscard]] std::optional<Format> parse_format(std::string_view name);

/// Returns the format that belongs to the ending of a file name; "graph.json.gz" counts like "graph.json". A
/// name without an ending is an edge list. Returns nothing for any other ending.
[[nodiscard]] std::optional<Format> format_of(const std::filesystem::path& file);
/// Returns the endings that `format_of` knows, for messages.
[[nodiscard]] std::string known_endings();

/// Reads a connected simple graph from a file, gzipped or not. Nodes keep their order and names; weights and
/// other attributes are left out. An edge that appears twice, in either direction, counts once. It is an
/// error if something would be lost or is ambiguous: directed edges, equal names, a second or nested graph,
/// hyperedges. A file with an unknown ending is read as an edge list. Errors are one line that begins with
/// the file's name and, if there is one, the number of the line.
[[nodiscard]] Result<Graph> load_graph(const std::filesystem::path& file, std::optional<Format> format = {});
/// Reads the same from a text.
[[nodiscard]] Result<Graph> parse_graph(std::string_view text, Format format, std::string_view file_name);

/// Writes a graph in the given format.
void write_graph(std::ostream& out, const Graph& graph, Format format);
/// Writes a file, gzipped if its name ends in .gz.
[[nodiscard]] Result<void> save_graph(const std::filesystem::path& file, const Graph& graph, Format format);

}  // namespace unlearn::topologies
