#include <bit>

#include "topologies/generator_support.hpp"
#include "topologies/generators.hpp"

/// Graphs without random choices.
namespace unlearn::topologies {

using namespace detail;

namespace {

struct Rectangle {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
};

/// Returns the most square rectangle with this many nodes.
Rectangle rectangle_of(std::uint32_t nodes) {
    Rectangle best{1, nodes};
    for (std::uint32_t rows = 1; std::uint64_t{rows} * rows <= nodes; ++rows)
        if (nodes % rows == 0) best = {rows, nodes / rows};
    return best;
}

Result<Rectangle> checked_rectangle(std::string_view kind, std::uint32_t nodes, std::uint32_t least_side) {
    if (auto error = check_nodes(kind, nodes, least_side * least_side)) return tl::unexpected(*error);
    const Rectangle rectangle = rectangle_of(nodes);
    if (rectangle.rows >= least_side) return rectangle;
    return fail("a " + std::string(kind) + " graph cannot have " + count(nodes) +
                " nodes: they make no rectangle with sides of at least " + count(least_side));
}

/// Makes a grid in which each node is linked to the next one in its row and in its column. With `round`, the
/// last node of a row or column is also linked to the first.
Result<Graph> mesh(const Rectangle& rectangle, bool round) {
    const auto [rows, columns] = rectangle;
    std::vector<Edge> edges;
    for (NodeIndex row = 0; row < rows; ++row) {
        for (NodeIndex column = 0; column < columns; ++column) {
            const NodeIndex node = row * columns + column;
            if (round || column + 1 < columns)
                edges.emplace_back(node, row * columns + (column + 1) % columns);
            if (round || row + 1 < rows) edges.emplace_back(node, (row + 1) % rows * columns + column);
        }
    }
    return make_graph(default_names(std::size_t{rows} * columns), std::move(edges));
}

}  // namespace

Result<Graph> ring(std::uint32_t nodes) {
    if (auto error = check_nodes("ring", nodes, 3)) return tl::unexpected(*error);
    std::vector<Edge> edges;
    for (NodeIndex node = 0; node < nodes; ++node)
        edges.emplace_back(node, (node + 1) % nodes);
    return make_graph(default_names(nodes), std::move(edges));
}

Result<Graph> line(std::uint32_t nodes) {
    if (auto error = check_nodes("line", nodes, 2)) return tl::unexpected(*error);
    std::vector<Edge> edges;
    for (NodeIndex node = 0; node + 1 < nodes; ++node)
        edges.emplace_back(node, node + 1);
    return make_graph(default_names(nodes), std::move(edges));
}

Result<Graph> star(std::uint32_t nodes) {
    if (auto error = check_nodes("star", nodes, 2)) return tl::unexpected(*error);
    std::vector<Edge> edges;
    for (NodeIndex node = 1; node < nodes; ++node)
        edges.emplace_back(0, node);
    return make_graph(default_names(nodes), std::move(edges));
}

Result<Graph> full(std::uint32_t nodes) {
    if (auto error = check_nodes("full", nodes, 2)) return tl::unexpected(*error);
    if (auto error = check_edges("full", pairs(nodes))) return tl::unexpected(*error);
    std::vector<Edge> edges;
    edges.reserve(pairs(nodes));
    for (NodeIndex a = 0; a < nodes; ++a) {
        for (NodeIndex b = a + 1; b < nodes; ++b)
            edges.emplace_back(a, b);
    }
    return make_graph(default_names(nodes), std::move(edges));
}

Result<Graph> wheel(std::uint32_t nodes) {
    if (auto error = check_nodes("wheel", nodes, 4)) return tl::unexpected(*error);
    std::vector<Edge> edges;
    for (NodeIndex node = 1; node < nodes; ++node) {
        edges.emplace_back(0, node);
        edges.emplace_back(node, node + 1 < nodes ? node + 1 : 1);
    }
    return make_graph(default_names(nodes), std::move(edges));
}

Result<Graph> grid(std::uint32_t nodes) {
    const auto rectangle = checked_rectangle("grid", nodes, 2);
    if (!rectangle) return tl::unexpected(rectangle.error());
    return mesh(*rectangle, false);
}

Result<Graph> torus(std::uint32_t nodes) {
    // With two rows, the link back to the first one would be a double edge.
    const auto rectangle = checked_rectangle("torus", nodes, 3);
    if (!rectangle) return tl::unexpected(rectangle.error());
    return mesh(*rectangle, true);
}

Result<Graph> tree(std::uint32_t nodes, std::uint32_t branching) {
    if (auto error = check_nodes("tree", nodes, 2)) return tl::unexpected(*error);
    if (branching < 1) return fail("a tree graph cannot have branching 0; allowed: 1 or more");
    std::vector<Edge> edges;
    for (NodeIndex node = 1; node < nodes; ++node)
        edges.emplace_back((node - 1) / branching, node);
    return make_graph(default_names(nodes), std::move(edges));
}

Result<Graph> hypercube(std::uint32_t nodes) {
    if (auto error = check_nodes("hypercube", nodes, 2)) return tl::unexpected(*error);
    if (!std::has_single_bit(nodes))
        return fail("a hypercube graph cannot have " + count(nodes) +
                    " nodes; allowed: powers of two, the nearest is " + count(std::bit_floor(nodes)));
    std::vector<Edge> edges;
    for (NodeIndex node = 0; node < nodes; ++node)
        for (NodeIndex bit = 1; bit < nodes; bit <<= 1U)
            if ((node & bit) == 0) edges.emplace_back(node, node | bit);
    return make_graph(default_names(nodes), std::move(edges));
}

Result<Graph> exponential(std::uint32_t nodes) {
    if (auto error = check_nodes("exponential", nodes, 3)) return tl::unexpected(*error);
    std::unordered_set<std::uint64_t> keys;
    for (NodeIndex node = 0; node < nodes; ++node)
        for (std::uint64_t hop = 1; hop < nodes; hop *= 2)
            keys.insert(edge_key(node, static_cast<NodeIndex>((node + hop) % nodes)));
    return make_graph(default_names(nodes), edges_of(keys));
}

}  // namespace unlearn::topologies
