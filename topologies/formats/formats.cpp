#include "topologies/formats/formats.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <nlohmann/json.hpp>

#include "topologies/formats/graph_text.hpp"
#include "topologies/formats/readers.hpp"

namespace unlearn::topologies {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> kNames = {"edges", "json", "graphml", "dot", "adjlist"};

struct Ending {
    std::string_view ending;
    Format format;
};
constexpr std::array<Ending, 10> kEndings{{{".edges", Format::edge_list},
                                           {".edgelist", Format::edge_list},
                                           {".txt", Format::edge_list},
                                           {".csv", Format::edge_list},
                                           {".json", Format::json},
                                           {".graphml", Format::graphml},
                                           {".xml", Format::graphml},
                                           {".dot", Format::dot},
                                           {".gv", Format::dot},
                                           {".adjlist", Format::adjacency_list}}};

/// Formats of other programs that are not read. Read as edge lists, they would give misleading errors.
struct Foreign {
    std::string_view ending;
    std::string_view name;
};
constexpr std::array<Foreign, 8> kForeign{{{".gml", "GML"},
                                           {".gexf", "GEXF"},
                                           {".net", "Pajek"},
                                           {".paj", "Pajek"},
                                           {".g6", "graph6"},
                                           {".s6", "sparse6"},
                                           {".mtx", "Matrix Market"},
                                           {".pickle", "Python's pickle"}}};

/// Returns the ending in lower case, without that of gzip.
std::string ending_of(const std::filesystem::path& file) {
    const std::string ending = lower_case(file.extension().string());
    return ending == ".gz" ? lower_case(file.stem().extension().string()) : ending;
}

void write_edges(std::ostream& out, const Graph& graph) {
    // Nodes are declared to keep their order.
    for (const auto& name : graph.names)
        out << "node " << name << '\n';
    for (const auto& [a, b] : graph.edges)
        out << graph.names[a] << ' ' << graph.names[b] << '\n';
}

void write_json(std::ostream& out, const Graph& graph) {
    const auto adjacency = graph.adjacency();
    for (std::size_t i = 0; i < graph.size(); ++i) {
        json neighbours = json::array();
        for (const auto other : adjacency[i])
            neighbours.push_back(graph.names[other]);
        out << (i == 0 ? "{\n" : ",\n") << json(graph.names[i]) << ": " << neighbours;
    }
    out << "\n}\n";
}

void write_graphml(std::ostream& out, const Graph& graph) {
    // Names contain no character that would have to be quoted in XML or DOT.
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
           "  <graph edgedefault=\"undirected\">\n";
    for (const auto& name : graph.names)
        out << "    <node id=\"" << name << "\"/>\n";
    for (const auto& [a, b] : graph.edges)
        out << "    <edge source=\"" << graph.names[a] << "\" target=\"" << graph.names[b] << "\"/>\n";
    out << "  </graph>\n</graphml>\n";
}

void write_dot(std::ostream& out, const Graph& graph) {
    out << "graph {\n";
    for (const auto& name : graph.names)
        out << "  \"" << name << "\";\n";
    for (const auto& [a, b] : graph.edges)
        out << "  \"" << graph.names[a] << "\" -- \"" << graph.names[b] << "\";\n";
    out << "}\n";
}

void write_adjacency_list(std::ostream& out, const Graph& graph) {
    const auto adjacency = graph.adjacency();
    for (std::size_t i = 0; i < graph.size(); ++i) {
        out << graph.names[i];
        for (const auto other : adjacency[i])
            if (other > i) out << ' ' << graph.names[other];
        out << '\n';
    }
}

}  // namespace

std::span<const std::string_view> format_names() {
    return kNames;
}

std::optional<Format> parse_format(std::string_view name) {
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<Format>(found - kNames.begin());
}

std::optional<Format> format_of(const std::filesystem::path& file) {
    const std::string ending = ending_of(file);
    if (ending.empty()) return Format::edge_list;
    const auto found = std::find_if(kEndings.begin(), kEndings.end(),
                                    [&](const Ending& one) { return one.ending == ending; });
    if (found == kEndings.end()) return std::nullopt;
    return found->format;
}

std::string known_endings() {
    std::string out;
    for (const auto& [ending, format] : kEndings)
        out += (out.empty() ? "" : ", ") + std::string(ending);
    return out;
}

Result<Graph> parse_graph(std::string_view text, Format format, std::string_view file_name) {
    GraphBuilder builder(file_name);
    switch (format) {
        case Format::edge_list:
            return read_edge_list(text, builder, false);
        case Format::json:
            return read_json(text, builder);
        case Format::graphml:
            return read_graphml(text, builder);
        case Format::dot:
            return read_dot(text, builder);
        case Format::adjacency_list:
            return read_adjacency_list(text, builder);
    }
    return builder.fail(0, "unknown format");
}

Result<Graph> load_graph(const std::filesystem::path& file, std::optional<Format> format) {
    const std::string ending = ending_of(file);
    const auto foreign = std::find_if(kForeign.begin(), kForeign.end(),
                                      [&](const Foreign& one) { return one.ending == ending; });
    if (!format && foreign != kForeign.end())
        return tl::unexpected(Error{file.string() + ": " + std::string(foreign->name) +
                                    " is not read; write GraphML, JSON, DOT or a list of edges"});
    const auto text = read_graph_text(file);
    if (!text) return tl::unexpected(text.error());
    if (format == Format::edge_list) {
        GraphBuilder builder(file.string());
        return read_edge_list(*text, builder, true);
    }
    return parse_graph(*text, format.value_or(format_of(file).value_or(Format::edge_list)), file.string());
}

void write_graph(std::ostream& out, const Graph& graph, Format format) {
    switch (format) {
        case Format::edge_list:
            return write_edges(out, graph);
        case Format::json:
            return write_json(out, graph);
        case Format::graphml:
            return write_graphml(out, graph);
        case Format::dot:
            return write_dot(out, graph);
        case Format::adjacency_list:
            return write_adjacency_list(out, graph);
    }
}

Result<void> save_graph(const std::filesystem::path& file, const Graph& graph, Format format) {
    std::ostringstream text;
    write_graph(text, graph, format);
    if (!write_graph_text(file, text.str()))
        return tl::unexpected(Error{file.string() + ": cannot be written"});
    return {};
}

}  // namespace unlearn::topologies
