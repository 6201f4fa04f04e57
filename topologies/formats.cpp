#include "topologies/formats.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/graphviz.hpp>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <nlohmann/json.hpp>

#include "topologies/loaders.hpp"

namespace unlearn::topologies {
namespace {

using nlohmann::json;
namespace xml = boost::property_tree;

constexpr std::uintmax_t kMaxFileBytes = 1U << 30U;
constexpr std::array<std::string_view, 5> kNames = {"edges", "json", "graphml", "dot", "adjlist"};

/// Makes a graph from names, in any order in which a file tells them.
class Builder {
  public:
    explicit Builder(std::string_view file_name) : file_name_(file_name) {}

    [[nodiscard]] tl::unexpected<Error> fail(const std::string& message) const {
        return tl::unexpected(Error{file_name_ + ": " + message});
    }
    void node(const std::string& name) { index_of(name); }
    Result<void> edge(const std::string& from, const std::string& to) {
        const NodeIndex a = index_of(from);
        const NodeIndex b = index_of(to);
        if (a == b) return fail("node '" + printable(from) + "' is linked to itself");
        edges_.insert(std::minmax(a, b));
        return {};
    }
    [[nodiscard]] bool knows(const std::string& name) const { return index_.contains(name); }
    Result<Graph> finish() {
        auto graph = make_graph(std::move(names_), {edges_.begin(), edges_.end()});
        if (!graph) return fail(graph.error().message);
        if (const auto unreachable = graph->first_unreachable())
            return fail("the graph is not connected: '" + graph->names[*unreachable] +
                        "' cannot be reached from '" + graph->names.front() + "'");
        return graph;
    }

  private:
    NodeIndex index_of(const std::string& name) {
        const auto [entry, added] = index_.emplace(name, static_cast<NodeIndex>(names_.size()));
        if (added) names_.push_back(name);
        return entry->second;
    }

    std::string file_name_;
    std::vector<std::string> names_;
    std::unordered_map<std::string, NodeIndex> index_;
    std::set<Edge> edges_;
};

// ---------------------------------------------------------------- JSON

std::optional<std::string> name_in(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
    return std::nullopt;
}

std::optional<std::string> name_in(const json& object, const char* key) {
    if (!object.is_object() || !object.contains(key)) return std::nullopt;
    return name_in(object.at(key));
}

/// {"nodes": [{"id": ...}], "links" or "edges": [{"source": ..., "target": ...}]}
Result<Graph> read_node_link(const json& document, const char* links, Builder& builder) {
    for (const auto& node : document.at("nodes")) {
        const auto name = name_in(node, "id");
        if (!name) return builder.fail("a node without an id");
        builder.node(*name);
    }
    if (!document.at(links).is_array()) return builder.fail("\"" + std::string(links) + "\" is not an array");
    for (const auto& link : document.at(links)) {
        const auto from = name_in(link, "source");
        const auto to = name_in(link, "target");
        if (!from || !to) return builder.fail("a link without source or target");
        for (const auto& end : {*from, *to})
            if (!builder.knows(end))
                return builder.fail("a link names '" + printable(end) + "', which is no node");
        if (auto added = builder.edge(*from, *to); !added) return tl::unexpected(added.error());
    }
    return builder.finish();
}

/// {"nodes": [{"id": ...}], "adjacency": [[{"id": ...}, ...], ...]}
Result<Graph> read_adjacency_data(const json& document, Builder& builder) {
    std::vector<std::string> names;
    for (const auto& node : document.at("nodes")) {
        const auto name = name_in(node, "id");
        if (!name) return builder.fail("a node without an id");
        names.push_back(*name);
        builder.node(*name);
    }
    const json& rows = document.at("adjacency");
    if (!rows.is_array() || rows.size() != names.size())
        return builder.fail("\"adjacency\" has not one list for each node");
    for (std::size_t i = 0; i < names.size(); ++i)
        for (const auto& neighbour : rows.at(i)) {
            const auto name = name_in(neighbour, "id");
            if (!name || !builder.knows(*name))
                return builder.fail("'" + printable(names[i]) + "' is linked to what is no node");
            if (auto added = builder.edge(names[i], *name); !added) return tl::unexpected(added.error());
        }
    return builder.finish();
}

/// {"a": ["b", "c"], ...}; `names` in the order of the file.
Result<Graph> read_adjacency(const json& document, const std::vector<std::string>& names, Builder& builder) {
    for (const auto& name : names)
        builder.node(name);
    for (const auto& name : names) {
        const json& neighbours = document.at(name);
        if (!neighbours.is_array())
            return builder.fail("the neighbours of '" + printable(name) + "' are not an array");
        for (const auto& neighbour : neighbours) {
            const auto other = name_in(neighbour);
            if (!other || !builder.knows(*other))
                return builder.fail("'" + printable(name) + "' is linked to what is no node");
            if (auto added = builder.edge(name, *other); !added) return tl::unexpected(added.error());
        }
    }
    return builder.finish();
}

/// As networkx writes them. A plain adjacency may have a node called "nodes", whose neighbours are names.
bool has_node_objects(const json& document) {
    const auto nodes = document.find("nodes");
    return nodes != document.end() && nodes->is_array() && (nodes->empty() || nodes->front().is_object());
}

Result<Graph> read_json(const std::string& text, Builder& builder) {
    // An object forgets the order of its keys, and the order of nodes matters.
    std::vector<std::string> keys;
    const auto note_keys = [&](int depth, json::parse_event_t event, const json& parsed) {
        if (depth == 1 && event == json::parse_event_t::key) keys.push_back(parsed.get<std::string>());
        return true;
    };
    const auto document = json::parse(text, note_keys, false);
    if (document.is_discarded() || !document.is_object()) return builder.fail("is not a JSON object");
    if (!has_node_objects(document)) return read_adjacency(document, keys, builder);
    if (document.contains("directed") && document.at("directed") != false)
        return builder.fail("the graph is directed");
    for (const char* links : {"links", "edges"})
        if (document.contains(links)) return read_node_link(document, links, builder);
    if (document.contains("adjacency")) return read_adjacency_data(document, builder);
    return builder.fail("has \"nodes\", and no \"links\", \"edges\" or \"adjacency\"");
}

// ---------------------------------------------------------------- GraphML

Result<Graph> read_graphml(const std::string& text, Builder& builder) {
    std::istringstream in(text);
    xml::ptree document;
    try {
        xml::read_xml(in, document);
    } catch (const xml::xml_parser_error& error) {
        return builder.fail("line " + std::to_string(error.line()) + ": " + error.message());
    }
    const auto graph = document.get_child_optional("graphml.graph");
    if (!graph) return builder.fail("holds no graphml.graph");
    if (graph->get("<xmlattr>.edgedefault", "undirected") != "undirected")
        return builder.fail("the graph is directed");
    for (const auto& [tag, child] : *graph) {
        if (tag != "node") continue;
        const auto id = child.get_optional<std::string>("<xmlattr>.id");
        if (!id) return builder.fail("a node without an id");
        builder.node(*id);
    }
    for (const auto& [tag, child] : *graph) {
        if (tag != "edge") continue;
        const auto from = child.get("<xmlattr>.source", "");
        const auto to = child.get("<xmlattr>.target", "");
        for (const auto& end : {from, to})
            if (!builder.knows(end))
                return builder.fail("an edge names '" + printable(end) + "', which is no node");
        if (auto added = builder.edge(from, to); !added) return tl::unexpected(added.error());
    }
    return builder.finish();
}

// ---------------------------------------------------------------- DOT

Result<Graph> read_dot(const std::string& text, Builder& builder) {
    using Named = boost::property<boost::vertex_name_t, std::string>;
    using DotGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS, Named>;
    DotGraph graph;
    // Attributes of all kinds are taken in and left alone.
    boost::dynamic_properties properties(boost::ignore_other_properties);
    const auto names = boost::get(boost::vertex_name, graph);
    properties.property("node_id", names);
    try {
        boost::read_graphviz(text, graph, properties, "node_id");
    } catch (const boost::directed_graph_error&) {
        return builder.fail("the graph is directed");
    } catch (const std::exception& error) {
        return builder.fail(printable(error.what()));
    }
    for (const auto node : boost::make_iterator_range(boost::vertices(graph)))
        builder.node(names[node]);
    for (const auto edge : boost::make_iterator_range(boost::edges(graph)))
        if (auto added = builder.edge(names[boost::source(edge, graph)], names[boost::target(edge, graph)]);
            !added)
            return tl::unexpected(added.error());
    return builder.finish();
}

// ---------------------------------------------------------------- adjacency list

Result<Graph> read_adjacency_list(const std::string& text, Builder& builder) {
    std::vector<std::vector<std::string>> rows;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        line.resize(std::min(line.size(), line.find('#')));
        std::istringstream words(line);
        std::vector<std::string> row{std::istream_iterator<std::string>(words), {}};
        if (!row.empty()) rows.push_back(std::move(row));
    }
    // Every node has a line, and this is their order.
    for (const auto& row : rows) {
        if (builder.knows(row.front())) return builder.fail("'" + printable(row.front()) + "' has two lines");
        builder.node(row.front());
    }
    for (const auto& row : rows)
        for (std::size_t i = 1; i < row.size(); ++i) {
            if (!builder.knows(row[i]))
                return builder.fail("'" + printable(row.front()) + "' is linked to '" + printable(row[i]) +
                                    "', which has no line");
            if (auto added = builder.edge(row.front(), row[i]); !added) return tl::unexpected(added.error());
        }
    return builder.finish();
}

// ---------------------------------------------------------------- writing

void write_edges(std::ostream& out, const Graph& graph) {
    // Declared, so that the order of the nodes is kept.
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
    // Names hold no character that XML or DOT would want to be quoted.
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

Format format_of(const std::filesystem::path& file) {
    const std::string ending = file.extension().string();
    if (ending == ".json") return Format::kJson;
    if (ending == ".graphml" || ending == ".xml") return Format::kGraphml;
    if (ending == ".dot" || ending == ".gv") return Format::kDot;
    if (ending == ".adjlist") return Format::kAdjacencyList;
    return Format::kEdgeList;
}

Result<Graph> parse_graph(const std::string& text, Format format, std::string_view file_name) {
    Builder builder(file_name);
    switch (format) {
        case Format::kEdgeList: {
            std::istringstream in(text);
            return parse_edge_list(in, file_name);
        }
        case Format::kJson:
            return read_json(text, builder);
        case Format::kGraphml:
            return read_graphml(text, builder);
        case Format::kDot:
            return read_dot(text, builder);
        case Format::kAdjacencyList:
            return read_adjacency_list(text, builder);
    }
    return builder.fail("unknown format");
}

Result<Graph> load_graph(const std::filesystem::path& file, std::optional<Format> format) {
    const auto as = format.value_or(format_of(file));
    if (as == Format::kEdgeList) return load_edge_list(file);
    const Builder builder(file.string());
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) return builder.fail("is a directory, not a graph");
    if (std::filesystem::file_size(file, error) > kMaxFileBytes && !error)
        return builder.fail("is larger than 1 GiB");
    std::ifstream in(file, std::ios::binary);
    if (!in) return builder.fail("cannot be opened");
    std::ostringstream text;
    text << in.rdbuf();
    return parse_graph(text.str(), as, file.string());
}

void write_graph(std::ostream& out, const Graph& graph, Format format) {
    switch (format) {
        case Format::kEdgeList:
            return write_edges(out, graph);
        case Format::kJson:
            return write_json(out, graph);
        case Format::kGraphml:
            return write_graphml(out, graph);
        case Format::kDot:
            return write_dot(out, graph);
        case Format::kAdjacencyList:
            return write_adjacency_list(out, graph);
    }
}

}  // namespace unlearn::topologies
