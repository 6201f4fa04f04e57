#include "topologies/graph.hpp"

#include <algorithm>
#include <unordered_set>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/connected_components.hpp>

namespace unlearn::topologies {

std::optional<NodeIndex> Graph::index_of(std::string_view name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<NodeIndex>(found - names.begin());
}

std::vector<NodeIndex> Graph::neighbours(NodeIndex node) const {
    // Edges are sorted, so the lower neighbours come first and the result is ascending.
    std::vector<NodeIndex> result;
    for (const auto& [a, b] : edges) {
        if (b == node) result.push_back(a);
        if (a == node) result.push_back(b);
    }
    return result;
}

std::size_t Graph::degree(NodeIndex node) const {
    return static_cast<std::size_t>(std::count_if(edges.begin(), edges.end(), [node](const Edge& edge) {
        return edge.first == node || edge.second == node;
    }));
}

std::vector<std::vector<NodeIndex>> Graph::adjacency() const {
    std::vector<std::vector<NodeIndex>> result(names.size());
    for (const auto& [a, b] : edges) {
        result[a].push_back(b);
        result[b].push_back(a);
    }
    for (auto& neighbours : result)
        std::sort(neighbours.begin(), neighbours.end());
    return result;
}

std::optional<NodeIndex> Graph::first_unreachable() const {
    using BoostGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS>;
    const BoostGraph graph(edges.begin(), edges.end(), names.size());
    std::vector<std::size_t> component(names.size());
    boost::connected_components(graph, component.data());
    const auto found = std::find_if(component.begin(), component.end(),
                                    [&](std::size_t c) { return c != component.front(); });
    if (found == component.end()) return std::nullopt;
    return static_cast<NodeIndex>(found - component.begin());
}

bool Graph::connected() const {
    return !names.empty() && !first_unreachable();
}

Result<Graph> Graph::induced_subgraph_without(std::string_view name) const {
    const auto removed = index_of(name);
    if (!removed) return tl::unexpected(Error{"the graph has no node '" + std::string(name) + "'"});

    Graph result;
    result.names = names;
    result.names.erase(result.names.begin() + *removed);
    const auto moved = [removed](NodeIndex node) { return node > *removed ? node - 1 : node; };
    for (const auto& [a, b] : edges) {
        if (a != *removed && b != *removed) result.edges.emplace_back(moved(a), moved(b));
    }
    return result;
}

Result<Graph> make_graph(std::vector<std::string> names, std::vector<Edge> edges) {
    const auto fail = [](std::string message) { return tl::unexpected(Error{std::move(message)}); };

    if (names.empty()) return fail("the graph is empty: it needs at least one node");
    std::unordered_set<std::string_view> seen;
    for (const auto& name : names) {
        if (!is_valid_node_name(name)) return fail(bad_node_name(name));
        if (!seen.insert(name).second) return fail("node '" + name + "' is declared twice");
    }

    for (auto& [a, b] : edges) {
        if (a >= names.size() || b >= names.size()) return fail("an edge names a node that does not exist");
        if (a == b) return fail("node '" + names[a] + "' is linked to itself");
        if (a > b) std::swap(a, b);
    }
    std::sort(edges.begin(), edges.end());
    const auto twice = std::adjacent_find(edges.begin(), edges.end());
    if (twice != edges.end()) {
        return fail("the edge '" + names[twice->first] + " " + names[twice->second] + "' is given twice");
    }
    return Graph{std::move(names), std::move(edges)};
}

std::vector<std::string> default_names(std::size_t nodes) {
    std::vector<std::string> names;
    names.reserve(nodes);
    for (std::size_t i = 0; i < nodes; ++i)
        names.push_back("node-" + std::to_string(i));
    return names;
}

bool is_valid_node_name(std::string_view name) {
    // Not std::isalnum: what counts as a letter must not depend on the locale.
    const auto alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    constexpr std::size_t kMaxLength = 64;
    if (name.empty() || name.size() > kMaxLength || !alphanumeric(name.front()) || name == "node")
        return false;
    return std::all_of(name.begin(), name.end(),
                       [&](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

std::string bad_node_name(std::string_view name) {
    return "bad node name '" + printable(name) + "'; allowed: " + std::string(kNodeNameRule);
}

}  // namespace unlearn::topologies
