#pragma once

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

/// The generators by name, for files and command lines.
enum class Kind { kRing, kLine, kStar, kFull, kSmallWorld, kRandomRegular, kErdosRenyi };

/// All names, in the order of `Kind`: "ring", "line", "star", "full", "small-world", "random-regular",
/// "erdos-renyi".
[[nodiscard]] std::span<const std::string_view> kind_names();

[[nodiscard]] std::string_view to_string(Kind kind);

/// The kind of this name, if there is one.
[[nodiscard]] std::optional<Kind> parse_kind(std::string_view name);

/// What to generate. A kind ignores the members it has no use for.
struct GeneratorOptions {
    Kind kind = Kind::kRing;
    std::uint32_t nodes = 8;
    std::uint32_t degree = 4;
    double rewire = 0.2;
    double probability = 0.5;
    std::uint64_t seed = 1;
};

/// Calls the generator of this kind.
[[nodiscard]] Result<Graph> generate(const GeneratorOptions& options);

}  // namespace unlearn::topologies
