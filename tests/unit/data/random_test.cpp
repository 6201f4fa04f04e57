#include "node/learning/data/random.hpp"

#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace unlearn::learning;

TEST_CASE(
    "a stream's seed depends on scenario, name and purpose, and on where one ends and the next begins") {
    const std::set<std::uint64_t> seeds{stream_seed(1, "ab", "c"),
                                        stream_seed(1, "a", "bc"),
                                        stream_seed(2, "ab", "c"),
                                        stream_seed(1, "abc", ""),
                                        stream_seed(1, "", "abc"),
                                        stream_seed(1, "ab", "c\n"),
                                        stream_seed(1, "ab", std::string("c\0", 2))};
    CHECK(seeds.size() == 7);
    CHECK(stream_seed(7, "node-1", "main-model") == stream_seed(7, "node-1", "main-model"));
}

TEST_CASE("streams give the same numbers everywhere") {
    // Golden values: a change of any of these changes every scenario.
    CHECK(stream_seed(1, "node-1", "main-model") == 4602284044338780156U);
    RandomStream stream(42);
    CHECK(stream.next() == 1546998764402558742U);
    CHECK(stream.below(1000) == 102);
}

TEST_CASE("samplers have the mean and variance that they ought to have") {
    RandomStream stream(3);
    constexpr int kDraws = 20'000;
    const auto moments = [&](auto draw) {
        double sum = 0.0;
        double squares = 0.0;
        for (int i = 0; i < kDraws; ++i) {
            const double value = draw();
            sum += value;
            squares += value * value;
        }
        const double mean = sum / kDraws;
        return std::pair{mean, squares / kDraws - mean * mean};
    };
    const auto [uniform_mean, uniform_variance] = moments([&] { return stream.uniform(); });
    CHECK(uniform_mean == doctest::Approx(0.5).epsilon(0.02));
    CHECK(uniform_variance == doctest::Approx(1.0 / 12).epsilon(0.05));
    const auto [normal_mean, normal_variance] = moments([&] { return stream.normal(); });
    CHECK(std::fabs(normal_mean) < 0.03);
    CHECK(normal_variance == doctest::Approx(1.0).epsilon(0.05));
    for (const double shape : {0.3, 1.0, 4.0}) {
        const auto [mean, variance] = moments([&] { return stream.gamma(shape); });
        CHECK(mean == doctest::Approx(shape).epsilon(0.05));
        CHECK(variance == doctest::Approx(shape).epsilon(0.15));
    }
}

TEST_CASE("a shuffle keeps every item") {
    std::vector<int> items(100);
    std::iota(items.begin(), items.end(), 0);
    const std::vector<int> before = items;
    RandomStream(5).shuffle(std::span(items));
    CHECK(items != before);
    CHECK(std::set<int>(items.begin(), items.end()) == std::set<int>(before.begin(), before.end()));
}
