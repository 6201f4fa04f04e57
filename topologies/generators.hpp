#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "topologies/graph.hpp"

namespace unlearn::topologies {

// Each generator returns a connected simple graph of nodes "node-0", "node-1", ..., or an error that says
// which value is impossible. The same arguments give the same graph on every machine. The random ones draw
// again until the graph is connected, and give up with an error when it hardly ever is.

/// A cycle. At least 3 nodes.
[[nodiscard]] Result<Graph> ring(std::uint32_t nodes);

/// A path, node-0 at one end. At least 2 nodes.
[[nodiscard]] Result<Graph> line(std::uint32_t nodes);

/// node-0 linked to all others, and nobody else to anybody. At least 2 nodes.
[[nodiscard]] Result<Graph> star(std::uint32_t nodes);

/// Everybody linked to everybody. At least 2 nodes.
[[nodiscard]] Result<Graph> full(std::uint32_t nodes);

/// Watts and Strogatz, "Collective dynamics of 'small-world' networks" (Nature 393, 1998): a ring in which
/// each node is linked to its `degree` nearest, and then the far end of each edge moved elsewhere with
/// probability `rewire`. `degree` is even and at least 2; the mean degree stays `degree`.
[[nodiscard]] Result<Graph> small_world(std::uint32_t nodes, std::uint32_t degree, double rewire,
                                        std::uint64_t seed);

/// Every node has exactly `degree` neighbours, drawn by pairing (Steger and Wormald, 1999), which is
/// asymptotically uniform. `nodes` times `degree` must be even.
[[nodiscard]] Result<Graph> random_regular(std::uint32_t nodes, std::uint32_t degree, std::uint64_t seed);

/// Each possible edge exists with `probability`, independently: G(n, p), given that it is connected. Takes
/// time in proportion to the edges it makes (Batagelj and Brandes, 2005), so that large sparse graphs are
/// quick.
[[nodiscard]] Result<Graph> erdos_renyi(std::uint32_t nodes, double probability, std::uint64_t seed);

/// node-0 linked to all others, which are a cycle. At least 4 nodes.
[[nodiscard]] Result<Graph> wheel(std::uint32_t nodes);

/// Rows and columns, as square as the number of nodes allows; at least 2 of each.
[[nodiscard]] Result<Graph> grid(std::uint32_t nodes);

/// A grid whose rows and columns are cycles; at least 3 of each.
[[nodiscard]] Result<Graph> torus(std::uint32_t nodes);

/// Every node has `branching` children, filled level by level from node-0 on.
[[nodiscard]] Result<Graph> tree(std::uint32_t nodes, std::uint32_t branching);

/// `nodes` is a power of two; linked are those whose numbers differ in one bit.
[[nodiscard]] Result<Graph> hypercube(std::uint32_t nodes);

/// Node i linked to i + 1, i + 2, i + 4, ... modulo `nodes`, without direction (Ying et al., "Exponential
/// Graph is Provably Efficient for Decentralized Deep Training", NeurIPS 2021). At least 3 nodes.
[[nodiscard]] Result<Graph> exponential(std::uint32_t nodes);

/// Barabasi and Albert, "Emergence of scaling in random networks" (Science 286, 1999): nodes come one by one,
/// and each links to `links` earlier ones, preferring those with many links. Connected by construction.
[[nodiscard]] Result<Graph> barabasi_albert(std::uint32_t nodes, std::uint32_t links, std::uint64_t seed);

/// Blocks of equal size (Holland, Laskey and Leinhardt, 1983); a pair of one block is linked with probability
/// `inside`, another pair with `across`.
[[nodiscard]] Result<Graph> stochastic_block(std::uint32_t nodes, std::uint32_t blocks, double inside,
                                             double across, std::uint64_t seed);

/// Points drawn in the unit square, linked when they are at most `radius` apart (Gilbert, 1961).
[[nodiscard]] Result<Graph> random_geometric(std::uint32_t nodes, double radius, std::uint64_t seed);

/// The generators by name, for files and command lines.
enum class Kind {
    kRing,
    kLine,
    kStar,
    kFull,
    kSmallWorld,
    kRandomRegular,
    kErdosRenyi,
    kGrid,
    kTorus,
    kTree,
    kHypercube,
    kWheel,
    kExponential,
    kBarabasiAlbert,
    kStochasticBlock,
    kRandomGeometric
};
inline constexpr std::size_t kKinds = 16;

/// All names, in the order of `Kind`: "ring", "line", "star", ...
[[nodiscard]] std::span<const std::string_view> kind_names();

[[nodiscard]] std::string_view to_string(Kind kind);

/// The kind of this name, if there is one.
[[nodiscard]] std::optional<Kind> parse_kind(std::string_view name);

/// What to generate. A kind ignores the members it has no use for. Probabilities and the radius that are not
/// given are those at which the mean degree is `degree`; a barabasi-albert node links to `degree` / 2 earlier
/// ones.
struct GeneratorOptions {
    Kind kind = Kind::kRing;
    std::uint32_t nodes = 8;
    std::uint32_t degree = 4;
    double rewire = 0.2;
    std::optional<double> probability;  ///< of a link: erdos-renyi; stochastic-block, inside a block
    std::uint64_t seed = 1;
    std::uint32_t branching = 2;
    std::uint32_t blocks = 4;
    std::optional<double> across;  ///< of a link between two blocks
    std::optional<double> radius;
};

/// Calls the generator of this kind.
[[nodiscard]] Result<Graph> generate(const GeneratorOptions& options);

}  // namespace unlearn::topologies
