#include "topologies/measures.hpp"

#include <cmath>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "topologies/generators.hpp"

using namespace unlearn::topologies;
using doctest::Approx;

namespace {

constexpr double kPi = 3.14159265358979323846;

Measures measures_of(const Result<Graph>& graph) {
    REQUIRE(graph.has_value());
    auto measures = measure(*graph);
    REQUIRE(measures.has_value());
    return *measures;
}

/// Of a cycle: the mixing matrix is circulant with a third on each of its three diagonals.
double gap_of_ring(double nodes) {
    return 2.0 / 3.0 * (1.0 - std::cos(2.0 * kPi / nodes));
}

}  // namespace

TEST_CASE("measures of graphs that can be done by hand") {
    const auto ring_of_10 = measures_of(ring(10));
    CHECK(ring_of_10.diameter == 5);
    CHECK(ring_of_10.average_path == Approx(25.0 / 9.0));
    CHECK(ring_of_10.clustering == 0.0);
    CHECK(ring_of_10.spectral_gap == Approx(gap_of_ring(10)));
    CHECK(ring_of_10.articulation_points.empty());
    for (const double value : ring_of_10.betweenness)
        CHECK(value == Approx(ring_of_10.betweenness.front()));

    const auto star_of_6 = measures_of(star(6));
    CHECK(star_of_6.diameter == 2);
    CHECK(star_of_6.articulation_points == std::vector<ArticulationPoint>{{0, 5, 4}});
    CHECK(star_of_6.betweenness[0] == Approx(1.0));
    CHECK(star_of_6.betweenness[1] == 0.0);
    CHECK(star_of_6.spectral_gap == Approx(1.0 / 6.0));

    const auto everybody = measures_of(full(7));
    CHECK(everybody.diameter == 1);
    CHECK(everybody.average_path == Approx(1.0));
    CHECK(everybody.clustering == Approx(1.0));
    CHECK(everybody.spectral_gap == Approx(1.0));
    CHECK(everybody.mean_degree == Approx(6.0));

    const auto path = measures_of(line(5));
    CHECK(path.diameter == 4);
    CHECK(path.articulation_points == std::vector<ArticulationPoint>{{1, 2, 1}, {2, 2, 2}, {3, 2, 1}});
    // The middle one lies between 2 * 2 of the 4 * 3 / 2 pairs of others.
    CHECK(path.betweenness[2] == Approx(4.0 / 6.0));
    CHECK(path.least_degree == 1);
    CHECK(path.most_degree == 2);
}

TEST_CASE("the spectral gap of large graphs, where not every eigenvalue is computed") {
    // Close to 1: the shifted matrix is factorised.
    CHECK(measures_of(ring(3000)).spectral_gap == Approx(gap_of_ring(3000)).epsilon(1e-4));
    // Far from 1. Of a hypercube of dimension d: 2 / (d + 1).
    CHECK(measures_of(hypercube(1024)).spectral_gap == Approx(2.0 / 11.0).epsilon(1e-6));
    // On the other side of the limit the same method as below it gives the same.
    CHECK(measures_of(random_regular(398, 6, 1)).spectral_gap ==
          Approx(measures_of(random_regular(402, 6, 1)).spectral_gap).epsilon(0.15));
}

TEST_CASE("rows of the mixing matrix sum to 1 and its two halves are the same") {
    CHECK(rc::check([] {
        const auto graph =
            erdos_renyi(*rc::gen::inRange<std::uint32_t>(3, 50), 0.4, *rc::gen::arbitrary<std::uint64_t>());
        if (!graph) RC_DISCARD("hardly ever connected");
        const auto rows = metropolis_hastings(*graph);
        for (NodeIndex i = 0; i < rows.size(); ++i) {
            double sum = rows[i].own;
            RC_ASSERT(rows[i].own > 0.0);
            for (const auto& [j, weight] : rows[i].neighbours) {
                sum += weight;
                RC_ASSERT(weight > 0.0);
                const auto& back = rows[j].neighbours;
                const auto found =
                    std::find_if(back.begin(), back.end(), [&](const auto& w) { return w.first == i; });
                RC_ASSERT(found != back.end());
                RC_ASSERT(found->second == weight);
            }
            RC_ASSERT(std::abs(sum - 1.0) < 1e-12);
        }
    }));
}
