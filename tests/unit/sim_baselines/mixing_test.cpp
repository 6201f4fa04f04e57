#include "sim/baselines/mixing.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <torch/torch.h>

#include "node/learning/generator.hpp"
#include "tests/unit/sim_baselines/small_world.hpp"

using namespace small_world;

namespace {

/// Any simple graph, connected or not.
topologies::Graph any_graph() {
    const auto nodes = *rc::gen::inRange<std::uint32_t>(1, 30);
    const auto percent = *rc::gen::inRange(0, 101);
    std::vector<topologies::Edge> edges;
    for (std::uint32_t a = 0; a < nodes; ++a)
        for (std::uint32_t b = a + 1; b < nodes; ++b)
            if (*rc::gen::inRange(0, 100) < percent) edges.emplace_back(a, b);
    return *topologies::make_graph(topologies::default_names(nodes), edges);
}

std::vector<at::Tensor> random_vectors(std::size_t count, std::int64_t length) {
    std::vector<at::Tensor> vectors;
    for (std::size_t i = 0; i < count; ++i)
        vectors.push_back(at::randn({length}, learning::make_generator(i)));
    return vectors;
}

}  // namespace

TEST_CASE("mixing weights are symmetric, nonnegative, and rows and columns sum to 1 in every graph") {
    CHECK(rc::check([] {
        const auto graph = any_graph();
        const auto sums = mixing_weights(graph);
        std::vector<std::vector<double>> matrix(graph.size(), std::vector<double>(graph.size(), 0.0));
        for (std::size_t i = 0; i < sums.size(); ++i)
            for (const auto& [j, weight] : sums[i])
                matrix[i][j] = static_cast<double>(weight);
        for (topologies::NodeIndex i = 0; i < graph.size(); ++i) {
            double row = 0.0;
            double column = 0.0;
            for (topologies::NodeIndex j = 0; j < graph.size(); ++j) {
                row += matrix[i][j];
                column += matrix[j][i];
                RC_ASSERT(matrix[i][j] >= 0.0);
                RC_ASSERT(matrix[i][j] == matrix[j][i]);
                const topologies::Edge edge{std::min(i, j), std::max(i, j)};
                const bool linked = std::binary_search(graph.edges.begin(), graph.edges.end(), edge);
                if (i != j) RC_ASSERT((matrix[i][j] > 0.0) == linked);
            }
            RC_ASSERT(std::abs(row - 1.0) < 1e-6);
            RC_ASSERT(std::abs(column - 1.0) < 1e-6);
        }
    }));
}

TEST_CASE("mixing alone keeps the mean and brings all nodes to it") {
    const auto graph = *topologies::small_world(20, 4, 0.3, 3);
    Team team(2);
    const auto vectors = random_vectors(20, 1300);
    const auto mean = at::stack(vectors).mean(0);
    const auto spread = [&] { return (at::stack(vectors) - mean).abs().max().item<float>(); };
    const float before = spread();
    for (int round = 0; round < 100; ++round)
        REQUIRE(mix(mixing_weights(graph), vectors, team));
    CHECK(before > 1.0F);
    CHECK(spread() < 1e-4F);
    CHECK(at::allclose(at::stack(vectors).mean(0), mean, 1e-4, 1e-5));
}

TEST_CASE("a mixed vector is what the matrix says, whatever its length and the number of workers") {
    const auto graph = *topologies::star(5);
    const auto sums = mixing_weights(graph);
    for (const std::int64_t length : {1, 511, 512, 513, 2000}) {
        CAPTURE(length);
        auto matrix = at::zeros({5, 5});
        for (std::size_t i = 0; i < 5; ++i)
            for (const auto& [j, weight] : sums[i])
                matrix[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)] = weight;
        const auto one = random_vectors(5, length);
        const auto three = random_vectors(5, length);
        const auto wanted = at::mm(matrix, at::stack(one));
        Team alone(1);
        Team team(3);
        const auto target = at::empty({length});
        REQUIRE(weighted_sum(sums[2], one, target, team));
        REQUIRE(mix(sums, one, alone));
        REQUIRE(mix(sums, three, team));
        CHECK(at::allclose(at::stack(one), wanted, 1e-5, 1e-6));
        CHECK(same_bits(at::stack(one), at::stack(three)));
        CHECK(same_bits(target, one[2]));
    }
}

TEST_CASE("a team does everything once, counts CPU time, and reports the first error by index") {
    Team team(3);
    std::vector<int> done(1000);
    const auto counted = team.for_each(1000, [&](std::size_t worker, std::size_t i) {
        CHECK(worker < 3);
        ++done[i];
        return std::optional<std::string>();
    });
    REQUIRE(counted);
    CHECK(*counted > 0.0);
    CHECK(done == std::vector<int>(1000, 1));
    CHECK(team.for_each(0, [](std::size_t, std::size_t) { return std::optional<std::string>("?"); }));
    for (int repeat = 0; repeat < 20; ++repeat) {
        const auto failed = team.for_each(50, [](std::size_t, std::size_t i) -> std::optional<std::string> {
            if (i == 7) throw std::runtime_error("seven");
            return i > 7 ? std::optional<std::string>("later") : std::nullopt;
        });
        REQUIRE_FALSE(failed);
        CHECK(failed.error().message == "seven");
    }
}
