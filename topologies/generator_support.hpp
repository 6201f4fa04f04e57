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

/// Shared by the generators; not for other code.
namespace unlearn::topologies::detail {

/// Limits, so that a typing error gives an error message instead of exhausting the memory.
inline constexpr std::uint32_t kMaxNodes = 1'000'000;
inline constexpr std::uint64_t kMaxEdges = 50'000'000;

/// How often a random graph is drawn before the generator gives up.
inline constexpr int kMaxDraws = 200;
/// If a draw leaves more nodes than this without an edge, later draws are hopeless, too.
inline constexpr std::size_t kHopelessIsolated = 50;

/// Makes the error value of a Result.
inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected(Error{std::move(message)});
}

/// Returns a number as text.
inline std::string count(std::uint64_t value) {
    return std::to_string(value);
}

/// Returns an error if the number of nodes is out of range.
inline std::optional<Error> check_nodes(std::string_view kind, std::uint32_t nodes, std::uint32_t least) {
    if (nodes >= least && nodes <= kMaxNodes) return std::nullopt;
    return Error{"a " + std::string(kind) + " graph cannot have " + count(nodes) +
                 " nodes; allowed: " + count(least) + " to " + count(kMaxNodes)};
}

/// Returns an error if there are more edges than can be held.
inline std::optional<Error> check_edges(std::string_view kind, std::uint64_t edges) {
    if (edges <= kMaxEdges) return std::nullopt;
    return Error{"this " + std::string(kind) + " graph would have about " + count(edges) +
                 " edges; allowed: at most " + count(kMaxEdges)};
}

/// Whether the value lies between 0 and 1.
inline bool is_probability(double value) {
    return value >= 0.0 && value <= 1.0;
}

/// Returns the number of pairs of different nodes.
inline std::uint64_t pairs(std::uint64_t nodes) {
    return nodes * (nodes - std::min<std::uint64_t>(nodes, 1)) / 2;
}

/// Returns the number of nodes without an edge.
inline std::size_t isolated_nodes(const Graph& graph) {
    std::vector<bool> has_edge(graph.size());
    for (const auto& [a, b] : graph.edges)
        has_edge[a] = has_edge[b] = true;
    return static_cast<std::size_t>(std::count(has_edge.begin(), has_edge.end(), false));
}

/// Calls `draw` until it yields a connected graph. All draws share one random stream, so the result still
/// depends only on the seed. `draw` returns no edges if it ran into a dead end.
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

/// Returns a number for an edge, the same in both directions.
inline std::uint64_t edge_key(NodeIndex a, NodeIndex b) {
    if (a > b) std::swap(a, b);
    return (std::uint64_t{a} << 32) | b;
}

/// Returns the edges with these numbers, in no particular order.
inline std::vector<Edge> edges_of(const std::unordered_set<std::uint64_t>& keys) {
    std::vector<Edge> edges;
    edges.reserve(keys.size());
    for (const auto key : keys)
        edges.emplace_back(static_cast<NodeIndex>(key >> 32), static_cast<NodeIndex>(key));
    return edges;
}

}  // namespace unlearn::topologies::detail
