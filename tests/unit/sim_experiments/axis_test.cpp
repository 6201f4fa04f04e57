#include "sim/report/axis.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace unlearn::sim::report;

TEST_CASE("an axis has room at both ends and round numbers") {
    const Axis axis = linear_axis(72.0, 89.0);
    CHECK(axis.least < 72.0);
    CHECK(axis.most > 89.0);
    CHECK(axis.ticks == std::vector<double>{75.0, 80.0, 85.0});
}

TEST_CASE("an axis of values that are not below zero does not reach below zero") {
    CHECK(linear_axis(0.0, 10.0).least == 0.0);
    CHECK(linear_axis(-1.0, 10.0).least < -1.0);
}

TEST_CASE("whole numbers have no ticks between them") {
    CHECK(linear_axis(0.0, 3.0, true).ticks == std::vector<double>{0.0, 1.0, 2.0, 3.0});
}

TEST_CASE("a single value has an axis") {
    const Axis axis = linear_axis(5.0, 5.0);
    CHECK(axis.least < 5.0);
    CHECK(axis.most > 5.0);
    CHECK_FALSE(axis.ticks.empty());
    CHECK(linear_axis(0.0, 0.0).most > 0.0);
    CHECK(log_axis(5.0, 5.0).least < 5.0);
}

TEST_CASE("a logarithmic axis names powers of ten, and more where they are few") {
    CHECK(log_axis(1.0, 1e4).ticks == std::vector<double>{1, 10, 100, 1000, 10000});
    CHECK(log_axis(40.0, 400.0).ticks == std::vector<double>{50, 100, 200});
    CHECK(log_axis(1e-10, 1e10).ticks.size() <= 9);
}

TEST_CASE("ticks read as people write numbers") {
    CHECK(tick_text(0.0) == "0");
    CHECK(tick_text(0.1 + 0.2) == "0.3");
    CHECK(tick_text(2026) == "2026");
    CHECK(tick_text(25'000) == "25k");
    CHECK(tick_text(-2.5e6) == "-2.5M");
}
