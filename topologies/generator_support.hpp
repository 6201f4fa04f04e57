#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "topologies/graph.hpp"
#include "topologies/random.hpp"

/// What the generators share; not for others.
namespace unlearn::topologies::detail {

/// Limits, so that a typing error is an answer and not an exhausted memory.
inline constexpr std::uint32_t kMaxNodes = 1'000'000;
inline constexpr std::uint64_t kMaxEdges = 50'000'000;

/// How often a random graph is drawn before its parameters are called hopeless.
inline constexpr int kMaxDraws = 200;
/// Where a draw leaves more nodes than this without any edge, none that follow will leave no node so.
inline constexpr std::size_t kHopelessIsolated = 50;

inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected(Error{std::move(message)});
}

inline std::string count(std::uint64_t value) {
    return std::to_string(value);
}

/// The complaint about a number of nodes out of range, if there is one.
inline std::optional<Error> check_nodes(std::string_view kind, std::uint32_t nodes, std::uint32_t least) {
    if (nodes >= least && nodes <= kMaxNodes) return std::nullopt;
    return Error{"a " + std::string(kind) + " graph cannot have " + count(nodes) +
                 " nodes; allowed: " + count(least) + " to " + count(kMaxNodes)};
}

/// The complaint about more edges than can be held, if there is one.
inline std::optional<Error> check_edges(std::string_view kind, std::uint64_t edges) {
    if (edges <= kMaxEdges) return std::nullopt;
    return Error{"this " + std::string(kind) + " graph would have about " + count(edges) +
                 " edges; allowed: at most " + count(kMaxEdges)};
}

inline bool is_probability(double value) {
    return value >= 0.0 && value <= 1.0;
}

inline std::uint64_t pairs(std::uint64_t nodes) {
    return nodes * (nodes - std::min<std::uint64_t>(nodes, 1)) / 2;
}

inline std::size_t isolated_nodes(const Graph& graph) {
    std::vector<bool> has_edge(graph.size());
    for (const auto& [a, b] : graph.edges)
        has_edge[a] = has_edge[b] = true;
    return static_cast<std::size_t>(std::count(has_edge.begin(), has_edge.end(), false));
}

/// Calls `draw` until it yields a connected graph. Every draw continues the one random stream, so the outcome
/// still depends on the seed alone. `draw` returns no edges when it ran into a dead end.
template <typename Draw>
Result<Graph> first_connected(std::uint32_t nodes, std::uint64_t seed, const std::string& what, Draw draw) {
    Random random(seed);
    for (int attempt = 0; attempt < kMaxDraws; ++attempt) {
        std::optional<std::vector<Edge>> edges = draw(random);
        if (!edges) continue;
        auto graph = make_graph(default_names(nodes), std::move(*edges));
        if (!graph || graph->connected()) return graph;
        if (const std::size_t isolated = isolated_nodes(*graph); isolated > kHopelessIsolated)
            return fail(what + " is not connected: " + count(isolated) + " of " + count(nodes) +
                        " nodes have no edge; allow more edges");
    }
    return fail("none of " + std::to_string(kMaxDraws) + " draws of " + what +
                " was connected; allow more edges or another seed");
}

inline std::uint64_t edge_key(NodeIndex a, NodeIndex b) {
    if (a > b) std::swap(a, b);
    return (std::uint64_t{a} << 32) | b;
}

inline std::vector<Edge> edges_of(const std::unordered_set<std::uint64_t>& keys) {
    std::vector<Edge> edges;
    edges.reserve(keys.size());
    for (const auto key : keys)
        edges.emplace_back(static_cast<NodeIndex>(key >> 32), static_cast<NodeIndex>(key));
    return edges;
}

}  // namespace unlearn::topologies::detail
