#include "topologies/generators.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>

#include "topologies/random.hpp"

namespace unlearn::topologies {
namespace {

/// Limits, so that a typing error is an answer and not an exhausted memory.
constexpr std::uint32_t kMaxNodes = 1'000'000;
constexpr std::uint64_t kMaxEdges = 50'000'000;

/// How often a random graph is drawn before its parameters are called hopeless.
constexpr int kMaxDraws = 200;

tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected(Error{std::move(message)});
}

std::string count(std::uint64_t value) {
    return std::to_string(value);
}

/// The complaint about a number of nodes out of range, if there is one.
std::optional<Error> check_nodes(std::string_view kind, std::uint32_t nodes, std::uint32_t least) {
    if (nodes >= least && nodes <= kMaxNodes) return std::nullopt;
    return Error{"a " + std::string(kind) + " graph cannot have " + count(nodes) +
                 " nodes; allowed: " + count(least) + " to " + count(kMaxNodes)};
}

/// The complaint about more edges than can be held, if there is one.
std::optional<Error> check_edges(std::string_view kind, std::uint64_t edges) {
    if (edges <= kMaxEdges) return std::nullopt;
    return Error{"this " + std::string(kind) + " graph would have about " + count(edges) +
                 " edges; allowed: at most " + count(kMaxEdges)};
}

bool is_probability(double value) {
    return value >= 0.0 && value <= 1.0;
}

std::uint64_t pairs(std::uint64_t nodes) {
    return nodes * (nodes - std::min<std::uint64_t>(nodes, 1)) / 2;
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
    }
    return fail("none of " + std::to_string(kMaxDraws) + " draws of " + what +
                " was connected; allow more edges or another seed");
}

std::uint64_t edge_key(NodeIndex a, NodeIndex b) {
    if (a > b) std::swap(a, b);
    return (std::uint64_t{a} << 32) | b;
}

std::vector<Edge> edges_of(const std::unordered_set<std::uint64_t>& keys) {
    std::vector<Edge> edges;
    edges.reserve(keys.size());
    for (const auto key : keys)
        edges.emplace_back(static_cast<NodeIndex>(key >> 32), static_cast<NodeIndex>(key));
    return edges;
}

/// One Watts-Strogatz graph. (Boost's small_world_iterator may yield an edge twice and draws through
/// distributions that may change from one Boost version to the next.)
std::vector<Edge> draw_small_world(std::uint32_t nodes, std::uint32_t degree, double rewire, Random& random) {
    std::unordered_set<std::uint64_t> keys;
    std::vector<std::uint32_t> degrees(nodes, degree);
    for (std::uint32_t distance = 1; distance <= degree / 2; ++distance) {
        for (NodeIndex node = 0; node < nodes; ++node)
            keys.insert(edge_key(node, (node + distance) % nodes));
    }
    // The original's order: all nearest neighbours first, then the next nearest, and so on.
    for (std::uint32_t distance = 1; distance <= degree / 2; ++distance) {
        for (NodeIndex node = 0; node < nodes; ++node) {
            if (!random.chance(rewire)) continue;
            if (degrees[node] == nodes - 1) continue;  // linked to everybody: nowhere to move the edge to
            NodeIndex target = node;
            while (target == node || keys.contains(edge_key(node, target))) {
                target = static_cast<NodeIndex>(random.below(nodes));
            }
            const NodeIndex old_target = (node + distance) % nodes;
            keys.erase(edge_key(node, old_target));
            keys.insert(edge_key(node, target));
            --degrees[old_target];
            ++degrees[target];
        }
    }
    return edges_of(keys);
}

/// Whether any two nodes that still have free ends may be linked.
bool can_go_on(const std::vector<NodeIndex>& free_ends, const std::unordered_set<std::uint64_t>& keys) {
    std::vector<NodeIndex> distinct = free_ends;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    for (std::size_t i = 0; i < distinct.size(); ++i) {
        for (std::size_t j = i + 1; j < distinct.size(); ++j) {
            if (!keys.contains(edge_key(distinct[i], distinct[j]))) return true;
        }
    }
    return false;
}

/// One random regular graph: shuffle the free ends, pair them off, keep the pairs that are new and not loops,
/// and do it again with the ends that are left. Nothing when these cannot be paired any more.
std::optional<std::vector<Edge>> draw_regular(std::uint32_t nodes, std::uint32_t degree, Random& random) {
    std::vector<NodeIndex> free_ends;
    free_ends.reserve(std::size_t{nodes} * degree);
    for (NodeIndex node = 0; node < nodes; ++node)
        free_ends.insert(free_ends.end(), degree, node);

    std::unordered_set<std::uint64_t> keys;
    while (!free_ends.empty()) {
        random.shuffle(free_ends);
        std::vector<NodeIndex> left;
        for (std::size_t i = 0; i + 1 < free_ends.size(); i += 2) {
            const NodeIndex a = free_ends[i];
            const NodeIndex b = free_ends[i + 1];
            if (a != b && keys.insert(edge_key(a, b)).second) continue;
            left.push_back(a);
            left.push_back(b);
        }
        if (left.size() == free_ends.size() && !can_go_on(left, keys)) return std::nullopt;
        free_ends = std::move(left);
    }
    return edges_of(keys);
}

/// How many pairs in a row are skipped when each is taken with some probability: a geometric variable.
///
/// The usual floor(log(u) / log(1 - p)) depends on the last bit of the C library's log. The binary digits of
/// a geometric variable are independent, digit k being 1 with probability q^(2^k) / (1 + q^(2^k)), which
/// needs no logarithm.
class Skip {
  public:
    explicit Skip(double probability) {
        double power = 1.0 - probability;
        for (auto& digit : digit_probability_) {
            digit = power / (1.0 + power);
            power *= power;
        }
    }

    std::uint64_t operator()(Random& random) const {
        std::uint64_t result = 0;
        for (std::size_t k = 0; k < digit_probability_.size(); ++k) {
            if (digit_probability_[k] > 0.0 && random.chance(digit_probability_[k]))
                result |= std::uint64_t{1} << k;
        }
        return result;
    }

  private:
    // 40 digits: more than the pairs of kMaxNodes nodes, and far from overflowing a sum.
    std::array<double, 40> digit_probability_{};
};

std::vector<Edge> draw_erdos_renyi(std::uint32_t nodes, const Skip& skip, Random& random) {
    std::vector<Edge> edges;
    // The pairs (row, column) with column < row, row by row; `column` runs ahead and is carried over into
    // later rows.
    std::uint64_t row = 1;
    std::uint64_t column = skip(random);
    while (true) {
        while (row < nodes && column >= row) {
            column -= row;
            ++row;
        }
        if (row >= nodes) return edges;
        edges.emplace_back(static_cast<NodeIndex>(column), static_cast<NodeIndex>(row));
        column += 1 + skip(random);
    }
}

constexpr std::array<std::string_view, 7> kKindNames = {"ring",        "line",           "star",       "full",
                                                        "small-world", "random-regular", "erdos-renyi"};

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

Result<Graph> small_world(std::uint32_t nodes, std::uint32_t degree, double rewire, std::uint64_t seed) {
    if (auto error = check_nodes("small-world", nodes, 3)) return tl::unexpected(*error);
    if (degree < 2 || degree >= nodes || degree % 2 != 0) {
        return fail("a small-world graph of " + count(nodes) + " nodes cannot have degree " + count(degree) +
                    "; allowed: an even number from 2 to " + count((nodes - 1) / 2 * 2));
    }
    if (!is_probability(rewire)) {
        return fail("a small-world graph cannot have rewire " + std::to_string(rewire) + "; allowed: 0 to 1");
    }
    if (auto error = check_edges("small-world", std::uint64_t{nodes} * degree / 2))
        return tl::unexpected(*error);
    return first_connected(
        nodes, seed, "a small-world graph of degree " + count(degree),
        [&](Random& random) { return std::optional(draw_small_world(nodes, degree, rewire, random)); });
}

Result<Graph> random_regular(std::uint32_t nodes, std::uint32_t degree, std::uint64_t seed) {
    const std::uint64_t ends = std::uint64_t{nodes} * degree;
    if (auto error = check_nodes("random-regular", nodes, 2)) return tl::unexpected(*error);
    if (degree < 1 || degree >= nodes || (degree == 1 && nodes > 2)) {
        return fail("a connected random-regular graph of " + count(nodes) + " nodes cannot have degree " +
                    count(degree) + "; allowed: " + (nodes == 2 ? "1" : "2 to " + count(nodes - 1)));
    }
    if (ends % 2 != 0) {
        return fail("a random-regular graph of " + count(nodes) + " nodes cannot have degree " +
                    count(degree) + "; nodes times degree must be even");
    }
    if (auto error = check_edges("random-regular", ends / 2)) return tl::unexpected(*error);
    // Dense graphs run into dead ends all the time. The complement of a sparse one is regular too.
    const std::uint32_t sparse_degree = nodes - 1 - degree;
    if (sparse_degree >= degree) {
        return first_connected(nodes, seed, "a random-regular graph of degree " + count(degree),
                               [&](Random& random) { return draw_regular(nodes, degree, random); });
    }
    return first_connected(nodes, seed, "a random-regular graph of degree " + count(degree),
                           [&](Random& random) -> std::optional<std::vector<Edge>> {
                               const auto absent = draw_regular(nodes, sparse_degree, random);
                               if (!absent) return std::nullopt;
                               std::unordered_set<std::uint64_t> keys;
                               for (const auto& [a, b] : *absent)
                                   keys.insert(edge_key(a, b));
                               std::vector<Edge> edges;
                               for (NodeIndex a = 0; a < nodes; ++a) {
                                   for (NodeIndex b = a + 1; b < nodes; ++b) {
                                       if (!keys.contains(edge_key(a, b))) edges.emplace_back(a, b);
                                   }
                               }
                               return edges;
                           });
}

Result<Graph> erdos_renyi(std::uint32_t nodes, double probability, std::uint64_t seed) {
    if (auto error = check_nodes("erdos-renyi", nodes, 2)) return tl::unexpected(*error);
    if (!is_probability(probability) || probability == 0.0) {
        return fail("an erdos-renyi graph cannot have probability " + std::to_string(probability) +
                    "; allowed: above 0, up to 1");
    }
    const auto expected_edges = static_cast<std::uint64_t>(static_cast<double>(pairs(nodes)) * probability);
    if (auto error = check_edges("erdos-renyi", expected_edges)) return tl::unexpected(*error);
    const Skip skip(probability);
    return first_connected(
        nodes, seed, "an erdos-renyi graph of probability " + std::to_string(probability),
        [&](Random& random) { return std::optional(draw_erdos_renyi(nodes, skip, random)); });
}

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
    switch (options.kind) {
        case Kind::kRing:
            return ring(options.nodes);
        case Kind::kLine:
            return line(options.nodes);
        case Kind::kStar:
            return star(options.nodes);
        case Kind::kFull:
            return full(options.nodes);
        case Kind::kSmallWorld:
            return small_world(options.nodes, options.degree, options.rewire, options.seed);
        case Kind::kRandomRegular:
            return random_regular(options.nodes, options.degree, options.seed);
        case Kind::kErdosRenyi:
            return erdos_renyi(options.nodes, options.probability, options.seed);
    }
    return fail("unknown kind of graph");
}

}  // namespace unlearn::topologies
