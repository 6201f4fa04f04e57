#include <algorithm>
#include <array>
#include <unordered_map>

#include "topologies/generator_support.hpp"
#include "topologies/generators.hpp"

/// Graphs that are drawn from a seed.
namespace unlearn::topologies {

using namespace detail;

namespace {

/// Draws one Watts-Strogatz graph. (Boost's small_world_iterator may yield an edge twice, and it draws
/// through distributions that may change between Boost versions.)
std::vector<Edge> draw_small_world(std::uint32_t nodes, std::uint32_t degree, double rewire, Random& random) {
    std::unordered_set<std::uint64_t> keys;
    std::vector<std::uint32_t> degrees(nodes, degree);
    for (std::uint32_t distance = 1; distance <= degree / 2; ++distance) {
        for (NodeIndex node = 0; node < nodes; ++node)
            keys.insert(edge_key(node, (node + distance) % nodes));
    }
    // As in the original, all nearest neighbours come first, then the next nearest, and so on.
    for (std::uint32_t distance = 1; distance <= degree / 2; ++distance) {
        for (NodeIndex node = 0; node < nodes; ++node) {
            if (!random.chance(rewire)) continue;
            if (degrees[node] == nodes - 1) continue;  // linked to all nodes: nowhere to move the edge to
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

/// Draws one random regular graph: shuffles the free ends, pairs them off, keeps the pairs that are new and
/// not loops, and repeats this with the ends that are left. Returns nothing if these can no longer be paired.
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

/// Draws how many pairs in a row are skipped when each is taken with some probability: a geometric variable.
///
/// The usual floor(log(u) / log(1 - p)) depends on the last bit of the C library's log. The binary digits of
/// a geometric variable are independent. Digit k is 1 with probability q^(2^k) / (1 + q^(2^k)), which needs
/// no logarithm.
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
    // 40 digits can count more than the pairs of kMaxNodes nodes, and are far from overflowing a sum.
    std::array<double, 40> digit_probability_{};
};

std::vector<Edge> draw_erdos_renyi(std::uint32_t nodes, const Skip& skip, Random& random) {
    std::vector<Edge> edges;
    // The pairs (row, column) with column < row, row by row. `column` runs ahead, and the surplus is carried
    // over into later rows.
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

/// Draws one Barabasi-Albert graph. Each link adds its two ends to `ends`. A node is therefore in it as often
/// as it has links, and a draw from it prefers nodes with many links.
std::vector<Edge> draw_barabasi_albert(std::uint32_t nodes, std::uint32_t links, Random& random) {
    std::vector<Edge> edges;
    std::vector<NodeIndex> ends;
    // As in the original, there must be something to prefer: a star of the first links + 1 nodes.
    for (NodeIndex node = 1; node <= links; ++node) {
        edges.emplace_back(0, node);
        ends.insert(ends.end(), {0, node});
    }
    std::vector<NodeIndex> chosen;
    for (NodeIndex node = links + 1; node < nodes; ++node) {
        chosen.clear();
        while (chosen.size() < links) {
            const NodeIndex target = ends[random.below(ends.size())];
            if (std::find(chosen.begin(), chosen.end(), target) == chosen.end()) chosen.push_back(target);
        }
        for (const NodeIndex target : chosen) {
            edges.emplace_back(target, node);
            ends.insert(ends.end(), {target, node});
        }
    }
    return edges;
}

/// Takes each pair (row, column) of a `rows` x `columns` rectangle with the probability of `skip`.
template <typename Take>
void draw_pairs(std::uint64_t rows, std::uint64_t columns, const Skip& skip, Random& random, Take take) {
    for (std::uint64_t at = skip(random); at < rows * columns; at += 1 + skip(random))
        take(at / columns, at % columns);
}

std::vector<Edge> draw_stochastic_block(std::uint32_t nodes, std::uint32_t blocks, const Skip& inside,
                                        const Skip& across, Random& random) {
    const auto begin_of = [&](std::uint64_t block) { return static_cast<NodeIndex>(block * nodes / blocks); };
    std::vector<Edge> edges;
    for (std::uint32_t a = 0; a < blocks; ++a) {
        const std::uint64_t first = begin_of(a);
        const std::uint64_t size = begin_of(a + 1) - first;
        for (const auto& [low, high] : draw_erdos_renyi(static_cast<std::uint32_t>(size), inside, random))
            edges.emplace_back(first + low, first + high);
        for (std::uint32_t b = a + 1; b < blocks; ++b) {
            const std::uint64_t other = begin_of(b);
            draw_pairs(size, begin_of(b + 1) - other, across, random,
                       [&](std::uint64_t row, std::uint64_t column) {
                           edges.emplace_back(first + row, other + column);
                       });
        }
    }
    return edges;
}

/// Draws one random geometric graph. The square is divided into cells at least as wide as the radius, and
/// only neighbouring cells are compared.
std::vector<Edge> draw_random_geometric(std::uint32_t nodes, double radius, Random& random) {
    struct Point {
        double x = 0.0;
        double y = 0.0;
    };
    std::vector<Point> points(nodes);
    for (auto& point : points)
        point = {random.uniform(), random.uniform()};
    const auto cells = static_cast<std::uint64_t>(std::clamp(1.0 / radius, 1.0, 4096.0));
    const auto cell_of = [&](double at) {
        return std::min(static_cast<std::uint64_t>(at * static_cast<double>(cells)), cells - 1);
    };
    std::unordered_map<std::uint64_t, std::vector<NodeIndex>> in_cell;
    for (NodeIndex node = 0; node < nodes; ++node)
        in_cell[cell_of(points[node].y) * cells + cell_of(points[node].x)].push_back(node);
    std::vector<Edge> edges;
    for (NodeIndex node = 0; node < nodes; ++node) {
        const std::uint64_t x = cell_of(points[node].x);
        const std::uint64_t y = cell_of(points[node].y);
        for (std::uint64_t row = y == 0 ? 0 : y - 1; row <= std::min(y + 1, cells - 1); ++row) {
            for (std::uint64_t column = x == 0 ? 0 : x - 1; column <= std::min(x + 1, cells - 1); ++column) {
                const auto there = in_cell.find(row * cells + column);
                if (there == in_cell.end()) continue;
                for (const NodeIndex other : there->second) {
                    const double dx = points[node].x - points[other].x;
                    const double dy = points[node].y - points[other].y;
                    if (node < other && dx * dx + dy * dy <= radius * radius) edges.emplace_back(node, other);
                }
            }
        }
    }
    return edges;
}

}  // namespace

Result<Graph> small_world(std::uint32_t nodes, std::uint32_t degree, double rewire, std::uint64_t seed) {
    if (auto error = check_nodes("small-world", nodes, 3)) return tl::unexpected(*error);
    if (degree < 2 || degree >= nodes || degree % 2 != 0) {
        return fail("a small-world graph of " + count(nodes) + " nodes cannot have degree " + count(degree) +
                    "; allowed: an even number from 2 to " + count((nodes - 1U) & ~1U));
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
    // Dense graphs run into dead ends all the time. The complement of a sparse regular graph is regular, too.
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

Result<Graph> barabasi_albert(std::uint32_t nodes, std::uint32_t links, std::uint64_t seed) {
    if (auto error = check_nodes("barabasi-albert", nodes, 3)) return tl::unexpected(*error);
    if (links < 1 || links >= nodes)
        return fail("a barabasi-albert graph of " + count(nodes) + " nodes cannot have " + count(links) +
                    " links for each new node; allowed: 1 to " + count(nodes - 1));
    if (auto error = check_edges("barabasi-albert", std::uint64_t{nodes} * links))
        return tl::unexpected(*error);
    Random random(seed);
    return make_graph(default_names(nodes), draw_barabasi_albert(nodes, links, random));
}

Result<Graph> stochastic_block(std::uint32_t nodes, std::uint32_t blocks, double inside, double across,
                               std::uint64_t seed) {
    if (auto error = check_nodes("stochastic-block", nodes, 2)) return tl::unexpected(*error);
    if (blocks < 1 || blocks > nodes)
        return fail("a stochastic-block graph of " + count(nodes) + " nodes cannot have " + count(blocks) +
                    " blocks; allowed: 1 to " + count(nodes));
    for (const double probability : {inside, across})
        if (!is_probability(probability) || probability == 0.0)
            return fail("a stochastic-block graph cannot have probability " + std::to_string(probability) +
                        "; allowed: above 0, up to 1, inside a block and across");
    const double n = nodes;
    const double all_pairs = static_cast<double>(pairs(nodes));
    const double pairs_inside = std::min(all_pairs, n * (n / blocks - 1) / 2);
    const double expected = pairs_inside * inside + (all_pairs - pairs_inside) * across;
    if (auto error = check_edges("stochastic-block", static_cast<std::uint64_t>(std::max(expected, 0.0))))
        return tl::unexpected(*error);
    const Skip skip_inside(inside);
    const Skip skip_across(across);
    return first_connected(nodes, seed, "a stochastic-block graph", [&](Random& random) {
        return std::optional(draw_stochastic_block(nodes, blocks, skip_inside, skip_across, random));
    });
}

Result<Graph> random_geometric(std::uint32_t nodes, double radius, std::uint64_t seed) {
    if (auto error = check_nodes("random-geometric", nodes, 2)) return tl::unexpected(*error);
    if (!(radius > 0.0 && radius <= 1.5))
        return fail("a random-geometric graph cannot have radius " + std::to_string(radius) +
                    "; allowed: above 0, up to 1.5");
    const double near = std::min(1.0, 3.15 * radius * radius);
    if (auto error = check_edges("random-geometric",
                                 static_cast<std::uint64_t>(static_cast<double>(pairs(nodes)) * near)))
        return tl::unexpected(*error);
    return first_connected(
        nodes, seed, "a random-geometric graph of radius " + std::to_string(radius),
        [&](Random& random) { return std::optional(draw_random_geometric(nodes, radius, random)); });
}

}  // namespace unlearn::topologies
