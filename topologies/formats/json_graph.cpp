#include <algorithm>
#include <array>
#include <optional>

#include "topologies/formats/json_tree.hpp"
#include "topologies/formats/readers.hpp"

// Graphs in JSON: an adjacency, and what networkx writes.
namespace unlearn::topologies {
namespace {

/// Returns a name, which must be a text or a whole number; 1 and "1" are the same name.
std::optional<std::string> name_in(const JsonValue& value) {
    if (value.is(JsonValue::Kind::text)) return value.text;
    const bool whole =
        value.is(JsonValue::Kind::number) && value.text.find_first_not_of("-0123456789") == std::string::npos;
    if (whole) return value.text;
    return std::nullopt;
}

/// The keys under which networkx' formats keep the links.
constexpr std::array<const char*, 3> kLinkKeys = {"links", "edges", "adjacency"};

std::optional<std::string> name_in(const JsonValue& object, const char* key) {
    const JsonValue* value = object.find(key);
    return value == nullptr ? std::nullopt : name_in(*value);
}

/// Reads {"nodes": [{"id": ...}, ...]}. Returns the names in their order.
Result<std::vector<std::string>> declare_nodes(const JsonValue& nodes, GraphBuilder& builder) {
    std::vector<std::string> names;
    for (const auto& node : nodes.members) {
        const auto name = name_in(node, "id");
        if (!name)
            return builder.fail(node.line, "a node without an id, which must be a text or a whole number");
        if (auto added = builder.declare(*name, node.line); !added) return tl::unexpected(added.error());
        names.push_back(*name);
    }
    return names;
}

/// Reads "links" or "edges": [{"source": ..., "target": ...}, ...]
Result<Graph> read_links(const JsonValue& links, GraphBuilder& builder) {
    if (!links.is(JsonValue::Kind::array)) return builder.fail(links.line, "the links are not an array");
    for (const auto& link : links.members) {
        const auto from = name_in(link, "source");
        const auto to = name_in(link, "target");
        if (!from || !to) return builder.fail(link.line, "a link without source or target");
        if (const JsonValue* directed = link.find("directed");
            directed != nullptr && directed->text != "false")
            return builder.fail(link.line, "a link that is directed, in an undirected graph");
        if (auto added = builder.link_known(*from, *to, link.line); !added)
            return tl::unexpected(added.error());
    }
    return builder.finish();
}

/// Reads "adjacency": [[{"id": ...}, ...], ...], a list for each node.
Result<Graph> read_adjacency_data(const JsonValue& rows, const std::vector<std::string>& names,
                                  GraphBuilder& builder) {
    if (!rows.is(JsonValue::Kind::array) || rows.members.size() != names.size())
        return builder.fail(rows.line, "\"adjacency\" does not have one list for each node");
    for (std::size_t i = 0; i < names.size(); ++i)
        for (const auto& neighbour : rows.members[i].members) {
            const auto name = name_in(neighbour, "id");
            if (!name || !builder.knows(*name))
                return builder.fail(neighbour.line, "'" + printable(names[i]) +
                                                        "' is linked to something that is not a node");
            if (auto added = builder.link(names[i], *name, neighbour.line); !added)
                return tl::unexpected(added.error());
        }
    return builder.finish();
}

/// Reads {"a": ["b", "c"], ...}, or {"a": {"b": {}}, ...} as written by networkx' to_dict_of_dicts.
Result<Graph> read_adjacency(const JsonValue& document, GraphBuilder& builder) {
    for (const auto& neighbours : document.members) {
        const auto& name = neighbours.key;
        if (!neighbours.is(JsonValue::Kind::array) && !neighbours.is(JsonValue::Kind::object))
            return builder.fail(neighbours.line,
                                "the neighbours of '" + printable(name) + "' are not an array");
        if (auto added = builder.declare(name, neighbours.line); !added) return tl::unexpected(added.error());
    }
    for (const auto& neighbours : document.members) {
        const auto& name = neighbours.key;
        for (const auto& neighbour : neighbours.members) {
            const auto other =
                neighbours.is(JsonValue::Kind::object) ? std::optional(neighbour.key) : name_in(neighbour);
            if (!other || !builder.knows(*other))
                return builder.fail(neighbour.line,
                                    "'" + printable(name) + "' is linked to something that is not a node");
            if (auto added = builder.link(name, *other, neighbour.line); !added)
                return tl::unexpected(added.error());
        }
    }
    return builder.finish();
}

/// Whether "nodes" lists objects, as networkx writes it. A plain adjacency may have a node called "nodes",
/// whose neighbours are names.
bool has_node_objects(const JsonValue& document) {
    const JsonValue* nodes = document.find("nodes");
    if (nodes == nullptr || !nodes->is(JsonValue::Kind::array)) return false;
    if (!nodes->members.empty()) return nodes->members.front().is(JsonValue::Kind::object);
    return std::any_of(kLinkKeys.begin(), kLinkKeys.end(),
                       [&](const char* key) { return document.find(key) != nullptr; });
}

}  // namespace

Result<Graph> read_json(std::string_view text, GraphBuilder& builder) {
    const auto document = parse_json(text, builder);
    if (!document) return tl::unexpected(document.error());
    if (!document->is(JsonValue::Kind::object)) return builder.fail(document->line, "is not a JSON object");
    if (!has_node_objects(*document)) return read_adjacency(*document, builder);
    if (const JsonValue* directed = document->find("directed");
        directed != nullptr && directed->text != "false")
        return builder.fail(directed->line, "the graph is directed");
    for (const char* key : {"hyperedges", "graphs"})
        if (const JsonValue* more = document->find(key))
            return builder.fail(more->line, "has \"" + std::string(key) + "\", which would be lost");
    const JsonValue* found = nullptr;
    for (const char* key : kLinkKeys) {
        const JsonValue* value = document->find(key);
        if (value == nullptr) continue;
        if (found != nullptr)
            return builder.fail(value->line, "has more than one of \"links\", \"edges\" and \"adjacency\"");
        found = value;
    }
    if (found == nullptr)
        return builder.fail(document->line, "has \"nodes\", but no \"links\", \"edges\" or \"adjacency\"");
    const auto names = declare_nodes(*document->find("nodes"), builder);
    if (!names) return tl::unexpected(names.error());
    if (found == document->find("adjacency")) return read_adjacency_data(*found, *names, builder);
    return read_links(*found, builder);
}

}  // namespace unlearn::topologies
