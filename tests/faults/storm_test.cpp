#include "sim/faults/storm.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace unlearn::sim;

namespace {

FaultOptions small_world(BrokenRule broken = BrokenRule::none) {
    FaultOptions options;
    options.nodes = 12;
    options.hours = 0.05;
    options.broken = broken;
    return options;
}

std::string text(const FaultResult& result) {
    return result.violation ? result.violation->rule + ": " + result.violation->detail : "no violation";
}

}  // namespace

TEST_CASE("storms end well") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        const auto result = Storm(seed, small_world()).run();
        CHECK_MESSAGE(!result.violation, text(result));
        CHECK(result.crashes > 10);
        CHECK(result.attacks > 10);
        CHECK(result.events > 1000);
    }
}

TEST_CASE("the same seed gives the same storm, another seed another one") {
    const auto first = Storm(11, small_world()).run();
    const auto again = Storm(11, small_world()).run();
    const auto other = Storm(12, small_world()).run();
    CHECK(first.trace == again.trace);
    CHECK(first.events == again.events);
    CHECK(first.crashes == again.crashes);
    CHECK(first.trace != other.trace);
}

TEST_CASE("a network that breaks a rule does not get through") {
    for (const auto name : broken_rule_names()) {
        const auto rule = *parse_broken_rule(name);
        if (rule == BrokenRule::none) continue;
        CAPTURE(name);
        bool caught = false;
        for (std::uint64_t seed = 1; seed <= 20 && !caught; ++seed)
            caught = Storm(seed, small_world(rule)).run().violation.has_value();
        CHECK(caught);
    }
}

// Storms that once ended badly. Faults are drawn in an order that changes with the simulator, so each of
// these bugs has a test of its own in tests/unit/protocol too.
TEST_CASE("storms that once ended badly") {
    for (const std::uint64_t seed : {28, 36, 40, 45, 47, 51, 1008}) {
        CAPTURE(seed);
        const auto result = Storm(seed, {}).run();
        CHECK_MESSAGE(!result.violation, text(result));
    }
}
