#include "topologies/generators.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace unlearn::topologies {
namespace {

using Options = const GeneratorOptions&;

double other_nodes(Options o) {
    return std::max(1.0, static_cast<double>(o.nodes) - 1.0);
}

/// Returns the link probability at which the mean degree is the requested one.
double link_probability(Options o) {
    return std::min(1.0, o.degree / other_nodes(o));
}

Result<Graph> default_stochastic_block(Options o) {
    // Nine of ten links stay in the block.
    constexpr double kInside = 0.9;
    constexpr double kAcross = 0.1;
    const double in_block = std::max(1.0, static_cast<double>(o.nodes) / o.blocks - 1.0);
    const double inside = std::min(1.0, kInside * o.degree / in_block);
    const double across = std::min(1.0, kAcross * o.degree / std::max(1.0, other_nodes(o) - in_block));
    return stochastic_block(o.nodes, o.blocks, o.probability.value_or(inside), o.across.value_or(across),
                            o.seed);
}

Result<Graph> default_random_geometric(Options o) {
    constexpr double kPi = 3.14159265358979323846;
    const double radius = std::min(1.5, std::sqrt(link_probability(o) / kPi));
    return random_geometric(o.nodes, o.radius.value_or(radius), o.seed);
}

// clang-format off
constexpr Kind kKinds[] = {
    {"ring", "", [](Options o) { return ring(o.nodes); }},
    {"line", "", [](Options o) { return line(o.nodes); }},
    {"star", "", [](Options o) { return star(o.nodes); }},
    {"full", "", [](Options o) { return full(o.nodes); }},
    {"small-world", "--degree --rewire --seed   (Watts and Strogatz)",
     [](Options o) { return small_world(o.nodes, o.degree, o.rewire, o.seed); }},
    {"random-regular", "--degree --seed",
     [](Options o) { return random_regular(o.nodes, o.degree, o.seed); }},
    {"erdos-renyi", "--probability, or --degree as the mean; --seed",
     [](Options o) { return erdos_renyi(o.nodes, o.probability.value_or(link_probability(o)), o.seed); }},
    {"grid", "as square as the number of nodes allows", [](Options o) { return grid(o.nodes); }},
    {"torus", "a grid whose rows and columns are cycles", [](Options o) { return torus(o.nodes); }},
    {"tree", "--branching", [](Options o) { return tree(o.nodes, o.branching); }},
    {"hypercube", "the number of nodes is a power of two", [](Options o) { return hypercube(o.nodes); }},
    {"wheel", "", [](Options o) { return wheel(o.nodes); }},
    {"exponential", "each node is linked to the nodes 1, 2, 4, 8, ... further on",
     [](Options o) { return exponential(o.nodes); }},
    {"barabasi-albert", "--degree is the mean; --seed",
     [](Options o) { return barabasi_albert(o.nodes, std::max(1U, o.degree / 2), o.seed); }},
    {"stochastic-block", "--blocks --probability --across, or --degree as the mean; --seed",
     default_stochastic_block},
    {"random-geometric", "--radius, or --degree as the mean; --seed", default_random_geometric},
};
// clang-format on

}  // namespace

std::span<const Kind> kinds() {
    return kKinds;
}

const Kind* find_kind(std::string_view name) {
    const auto* const found = std::ranges::find(kKinds, name, &Kind::name);
    return found == std::end(kKinds) ? nullptr : found;
}

Result<Graph> generate(std::string_view kind, const GeneratorOptions& options) {
    const Kind* const found = find_kind(kind);
    if (found == nullptr)
        return tl::unexpected(Error{"unknown kind of graph \"" + std::string(kind.substr(0, 40)) + '"'});
    return found->generate(options);
}

}  // namespace unlearn::topologies
