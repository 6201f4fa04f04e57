#include "topologies/formats/graph_builder.hpp"

#include <algorithm>

namespace unlearn::topologies {

tl::unexpected<Error> GraphBuilder::fail(std::size_t line, const std::string& message) const {
    const std::string where = line == 0 ? file_name_ : file_name_ + ":" + std::to_string(line);
    return tl::unexpected(Error{where + ": " + message});
}

Result<NodeIndex> GraphBuilder::mention(const std::string& name, std::size_t line) {
    if (const auto known = index_.find(name); known != index_.end()) return known->second;
    if (!is_valid_node_name(name)) return fail(line, bad_node_name(name));
    const auto index = static_cast<NodeIndex>(names_.size());
    index_.emplace(name, index);
    names_.push_back(name);
    lines_.push_back(line);
    return index;
}

Result<void> GraphBuilder::declare(const std::string& name, std::size_t line) {
    const auto node = mention(name, line);
    if (!node) return tl::unexpected(node.error());
    const auto [place, added] = declared_.emplace(*node, static_cast<NodeIndex>(declared_.size()));
    if (!added) {
        const std::size_t first = lines_[*node];
        return fail(line,
                    "node '" + name + "' is listed twice" +
                        (first == 0 || first == line ? "" : "; first on line " + std::to_string(first)) +
                        "; names must tell nodes apart");
    }
    lines_[*node] = line;
    return {};
}

Result<void> GraphBuilder::link(NodeIndex from, NodeIndex to, std::size_t line) {
    if (from == to) return fail(line, "node '" + names_[from] + "' is linked to itself");
    if (edges_.size() >= kMaxEdges) return fail(line, "has more than 20 million edges");
    edges_.push_back(std::minmax(from, to));
    return {};
}

Result<void> GraphBuilder::link(const std::string& from, const std::string& to, std::size_t line) {
    const auto a = mention(from, line);
    if (!a) return tl::unexpected(a.error());
    const auto b = mention(to, line);
    if (!b) return tl::unexpected(b.error());
    return link(*a, *b, line);
}

Result<void> GraphBuilder::link_known(const std::string& from, const std::string& to, std::size_t line) {
    for (const auto& end : {from, to})
        if (!knows(end)) return fail(line, "an edge names '" + printable(end) + "', which is not a node");
    return link(from, to, line);
}

std::vector<NodeIndex> GraphBuilder::order() const {
    std::vector<NodeIndex> place(names_.size());
    for (NodeIndex node = 0; node < place.size(); ++node)
        place[node] = declared_.empty() ? node : declared_.at(node);
    return place;
}

Result<Graph> GraphBuilder::finish() {
    if (names_.empty()) return fail(0, "the graph is empty: it has no node and no edge");
    for (NodeIndex node = 0; node < names_.size() && !declared_.empty(); ++node)
        if (!declared_.contains(node))
            return fail(lines_[node],
                        "node '" + names_[node] + "' is not declared, and this file declares its nodes");
    const auto place = order();
    std::vector<std::string> names(names_.size());
    std::vector<std::size_t> lines(names_.size());
    for (NodeIndex node = 0; node < names_.size(); ++node) {
        names[place[node]] = std::move(names_[node]);
        lines[place[node]] = lines_[node];
    }
    for (auto& [a, b] : edges_) {
        a = place[a];
        b = place[b];
        if (a > b) std::swap(a, b);
    }
    std::sort(edges_.begin(), edges_.end());
    edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
    auto graph = make_graph(std::move(names), std::move(edges_));
    if (!graph) return fail(0, graph.error().message);
    if (const auto unreachable = graph->first_unreachable())
        return fail(lines[*unreachable], "the graph is not connected: '" + graph->names[*unreachable] +
                                             "' cannot be reached from '" + graph->names.front() + "'");
    return graph;
}

}  // namespace unlearn::topologies
