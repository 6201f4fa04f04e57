#include "topologies/generators.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace unlearn::topologies {
namespace {

constexpr std::array<std::string_view, kKinds> kKindNames = {"ring",
                                                             "line",
                                                             "star",
                                                             "full",
                                                             "small-world",
                                                             "random-regular",
                                                             "erdos-renyi",
                                                             "grid",
                                                             "torus",
                                                             "tree",
                                                             "hypercube",
                                                             "wheel",
                                                             "exponential",
                                                             "barabasi-albert",
                                                             "stochastic-block",
                                                             "random-geometric"};

}  // namespace

std::span<const std::string_view> kind_names() {
    return kKindNames;
}

std::string_view to_string(Kind kind) {
    return kKindNames[static_cast<std::size_t>(kind)];
}

std::optional<Kind> parse_kind(std::string_view name) {
    const auto found = std::find(kKindNames.begin(), kKindNames.end(), name);
    if (found == kKindNames.end()) return std::nullopt;
    return static_cast<Kind>(found - kKindNames.begin());
}

Result<Graph> generate(const GeneratorOptions& options) {
    const auto nodes = options.nodes;
    const double others = std::max(1.0, static_cast<double>(nodes) - 1.0);
    // Where nothing else is said, the mean degree is the one that was asked for.
    const double likely = std::min(1.0, options.degree / others);
    switch (options.kind) {
        case Kind::kRing:
            return ring(nodes);
        case Kind::kLine:
            return line(nodes);
        case Kind::kStar:
            return star(nodes);
        case Kind::kFull:
            return full(nodes);
        case Kind::kSmallWorld:
            return small_world(nodes, options.degree, options.rewire, options.seed);
        case Kind::kRandomRegular:
            return random_regular(nodes, options.degree, options.seed);
        case Kind::kErdosRenyi:
            return erdos_renyi(nodes, options.probability.value_or(likely), options.seed);
        case Kind::kGrid:
            return grid(nodes);
        case Kind::kTorus:
            return torus(nodes);
        case Kind::kTree:
            return tree(nodes, options.branching);
        case Kind::kHypercube:
            return hypercube(nodes);
        case Kind::kWheel:
            return wheel(nodes);
        case Kind::kExponential:
            return exponential(nodes);
        case Kind::kBarabasiAlbert:
            return barabasi_albert(nodes, std::max(1U, options.degree / 2), options.seed);
        case Kind::kStochasticBlock: {
            // Nine links in ten stay in the block.
            const double in_block = std::max(1.0, static_cast<double>(nodes) / options.blocks - 1.0);
            const double inside =
                options.probability.value_or(std::min(1.0, 0.9 * options.degree / in_block));
            const double across = options.across.value_or(
                std::min(1.0, 0.1 * options.degree / std::max(1.0, others - in_block)));
            return stochastic_block(nodes, options.blocks, inside, across, options.seed);
        }
        case Kind::kRandomGeometric: {
            constexpr double kPi = 3.14159265358979323846;
            return random_geometric(nodes, options.radius.value_or(std::min(1.5, std::sqrt(likely / kPi))),
                                    options.seed);
        }
    }
    return tl::unexpected(Error{"unknown kind of graph"});
}

}  // namespace unlearn::topologies
