#include "sim/faults/spread.hpp"

#include <doctest/doctest.h>

using namespace unlearn::sim::faults;

TEST_CASE("an exit reaches every node of a larger network, and every holder's receipt its owner") {
    FaultOptions options;
    options.nodes = 200;
    options.in_memory = true;
    const auto result = spread(1, options);
    CHECK_MESSAGE(!result.world.violation, result.world.violation->detail);
    CHECK(result.told == 199);
    CHECK(result.receipts == 4);
    CHECK(result.seconds_to_last < 5.0);
}

TEST_CASE("the spread of an exit ends where nodes do not pass it on") {
    FaultOptions options;
    options.nodes = 24;
    options.in_memory = true;
    options.broken = BrokenRule::ignore_unknown_owners;
    const auto result = spread(1, options);
    REQUIRE(result.world.violation);
    CHECK(result.world.violation->rule == "everybody-knows");
    CHECK(result.told < 23);
}
