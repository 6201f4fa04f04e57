#include "sim/report/statistics.hpp"

#include <limits>
#include <vector>

#include <doctest/doctest.h>

using namespace unlearn::sim::report;

namespace {

Row row(double value, double seed) {
    return {"accuracy", value, {{"seed", seed}}};
}

SeedAverages averages_of(const std::vector<Row>& rows) {
    SeedAverages averages;
    for (const Row& each : rows)
        averages.add(each);
    return averages;
}

}  // namespace

TEST_CASE("the interval is that of Student's t") {
    // Mean 3, variance 2.5, t(.975; 4) = 2.776445 from any printed table: 2.776445 * sqrt(2.5 / 5).
    const auto result = estimate(std::vector<double>{1, 2, 3, 4, 5});
    REQUIRE(result);
    CHECK(result->mean == doctest::Approx(3.0));
    CHECK(result->repeats == 5);
    REQUIRE(result->half_width);
    CHECK(*result->half_width == doctest::Approx(1.963243).epsilon(1e-6));
}

TEST_CASE("two repeats have a wide interval, one has none, none have no mean") {
    // t(.975; 1) = 12.706205; standard error 1.
    CHECK(*estimate(std::vector<double>{0, 2})->half_width == doctest::Approx(12.706205));
    CHECK_FALSE(estimate(std::vector<double>{7})->half_width);
    CHECK(estimate(std::vector<double>{7})->mean == 7.0);
    CHECK_FALSE(estimate(std::vector<double>{}));
}

TEST_CASE("a quantile is the value of the nearest rank") {
    const std::vector<double> sorted{1, 2, 3, 4};
    CHECK(nearest_rank(sorted, 0.0) == 1);
    CHECK(nearest_rank(sorted, 0.5) == 2);
    CHECK(nearest_rank(sorted, 0.51) == 3);
    CHECK(nearest_rank(sorted, 0.99) == 4);
    CHECK(nearest_rank(std::vector<double>{7}, 0.5) == 7);
}

TEST_CASE("rows are averaged within a seed before seeds are compared") {
    // Seed 1 has three rows, seed 2 one: each counts once.
    const auto result = averages_of({row(0, 1), row(1, 1), row(2, 1), row(3, 2)}).over_seeds();
    REQUIRE(result);
    CHECK(result->mean == doctest::Approx(2.0));
    CHECK(result->repeats == 2);
}

TEST_CASE("rows without a seed are one repeat") {
    const auto result = averages_of({{"m", 1.0, {}}, {"m", 3.0, {}}}).over_seeds();
    REQUIRE(result);
    CHECK(result->mean == doctest::Approx(2.0));
    CHECK_FALSE(result->half_width);
}

TEST_CASE("what was not measured is passed over") {
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    const auto result = averages_of({row(1, 1), row(nothing, 1), row(nothing, 2)}).over_seeds();
    REQUIRE(result);
    CHECK(result->mean == 1.0);
    CHECK(result->repeats == 1);
    CHECK_FALSE(averages_of({row(nothing, 1)}).over_seeds());
}

TEST_CASE("differences are taken seed by seed") {
    // Seeds differ by far more than the methods do: 1.0, 1.2 and 0.8 in seeds 1 to 3; seed 4 is at one of
    // them only.
    const auto a = averages_of({row(11.0, 1), row(51.2, 2), row(90.8, 3), row(1000, 4)});
    const auto b = averages_of({row(10, 1), row(50, 2), row(90, 3)});
    const auto result = paired_difference(a, b);
    REQUIRE(result);
    CHECK(result->mean == doctest::Approx(1.0));
    CHECK(result->repeats == 3);
    // t(.975; 2) = 4.302653; standard deviation 0.2.
    CHECK(*result->half_width == doctest::Approx(4.302653 * 0.2 / 1.7320508));
    CHECK_FALSE(paired_difference(a, averages_of({row(1, 9)})));
}
