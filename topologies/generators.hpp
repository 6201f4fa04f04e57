#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "topologies/graph.hpp"

namespace unlearn::topologies {

// Each generator returns a connected simple graph of nodes "node-0", "node-1", ..., or an error that names
// the impossible value. The same arguments give the same graph on every machine. The random generators draw
// again until the graph is connected, and fail if it hardly ever is.

/// A cycle. At least 3 nodes.
[[nodiscard]] Result<Graph> ring(std::uint32_t nodes);

/// A path with node-0 at one end. At least 2 nodes.
[[nodiscard]] Result<Graph> line(std::uint32_t nodes);

/// node-0 is linked to all other nodes; there are no other links. At least 2 nodes.
[[nodiscard]] Result<Graph> star(std::uint32_t nodes);

/// Every node is linked to every other node. At least 2 nodes.
[[nodiscard]] Result<Graph> full(std::uint32_t nodes);

/// Watts and Strogatz, "Collective dynamics of 'small-world' networks" (Nature 393, 1998): a ring in which
/// each node is linked to its `degree` nearest nodes. The far end of each edge is then moved elsewhere with
/// probability `rewire`. `degree` must be even and at least 2; the mean degree stays `degree`.
[[nodiscard]] Result<Graph> small_world(std::uint32_t nodes, std::uint32_t degree, double rewire,
                                        std::uint64_t seed);

/// Every node has exactly `degree` neighbours, drawn by pairing (Steger and Wormald, 1999), which is
/// asymptotically uniform. `nodes` times `degree` must be even.
[[nodiscard]] Result<Graph> random_regular(std::uint32_t nodes, std::uint32_t degree, std::uint64_t seed);

/// G(n, p), given that it is connected: each possible edge exists with `probability`, independently. The time
/// is proportional to the number of edges (Batagelj and Brandes, 2005), so large sparse graphs are fast.
[[nodiscard]] Result<Graph> erdos_renyi(std::uint32_t nodes, double probability, std::uint64_t seed);

/// node-0 is linked to all other nodes, which form a cycle. At least 4 nodes.
[[nodiscard]] Result<Graph> wheel(std::uint32_t nodes);

/// A grid as square as the number of nodes allows, with at least 2 rows and 2 columns.
[[nodiscard]] Result<Graph> grid(std::uint32_t nodes);

/// A grid whose rows and columns are cycles, with at least 3 of each.
[[nodiscard]] Result<Graph> torus(std::uint32_t nodes);

/// A tree in which every node has `branching` children. The levels are filled one by one, from node-0 on.
[[nodiscard]] Result<Graph> tree(std::uint32_t nodes, std::uint32_t branching);

/// Two nodes are linked if their numbers differ in one bit. `nodes` must be a power of two.
[[nodiscard]] Result<Graph> hypercube(std::uint32_t nodes);

/// Node i is linked to i + 1, i + 2, i + 4, ... modulo `nodes`, without direction (Ying et al., "Exponential
/// Graph is Provably Efficient for Decentralized Deep Training", NeurIPS 2021). At least 3 nodes.
[[nodiscard]] Result<Graph> exponential(std::uint32_t nodes);

/// Barabasi and Albert, "Emergence of scaling in random networks" (Science 286, 1999): nodes are added one by
/// one, and each links to `links` earlier ones, preferring those with many links. Connected by construction.
[[nodiscard]] Result<Graph> barabasi_albert(std::uint32_t nodes, std::uint32_t links, std::uint64_t seed);

/// Blocks of equal size (Holland, Laskey and Leinhardt, 1983). Two nodes of one block are linked with
/// probability `inside`, two nodes of different blocks with probability `across`.
[[nodiscard]] Result<Graph> stochastic_block(std::uint32_t nodes, std::uint32_t blocks, double inside,
                                             double across, std::uint64_t seed);

/// Random points in the unit square, linked if they are at most `radius` apart (Gilbert, 1961).
[[nodiscard]] Result<Graph> random_geometric(std::uint32_t nodes, double radius, std::uint64_t seed);

/// The options of all kinds of graphs. A kind ignores the options that it does not use. Probabilities and a
/// radius that are not given are chosen so that the mean degree is `degree`. A barabasi-albert node links to
/// `degree` / 2 earlier ones.
struct GeneratorOptions {
    std::uint32_t nodes = 8;
    std::uint32_t degree = 4;
    double rewire = 0.2;
    std::optional<double> probability;  ///< of a link: erdos-renyi; inside a block: stochastic-block
    std::uint64_t seed = 1;
    std::uint32_t branching = 2;
    std::uint32_t blocks = 4;
    std::optional<double> across;  ///< of a link between two blocks: stochastic-block
    std::optional<double> radius;
};

/// One kind of graph, with the name that files and command lines use.
struct Kind {
    std::string_view name;
    std::string_view help;  ///< the options that it reads, or what it looks like; may be empty
    Result<Graph> (*generate)(const GeneratorOptions& options);
};

/// Returns all kinds in the order in which users see them. A new kind is a generator and a row in this list.
[[nodiscard]] std::span<const Kind> kinds();

/// Returns the kind of this name, or null.
[[nodiscard]] const Kind* find_kind(std::string_view name);

/// Generates a graph of the named kind. Fails if there is no such kind.
[[nodiscard]] Result<Graph> generate(std::string_view kind, const GeneratorOptions& options);

}  // namespace unlearn::topologies
