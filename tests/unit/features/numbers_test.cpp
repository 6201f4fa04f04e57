#include "node/learning/features/numbers.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

using namespace unlearn::learning;

TEST_CASE("the cosine is that of the standard library, up to its rounding") {
    double worst = 0.0;
    for (int i = -40'000; i <= 40'000; ++i) {
        const double turns = i / 8'192.0;
        worst = std::max(worst, std::fabs(cosine_of_turns(turns) - std::cos(2.0 * std::numbers::pi * turns)));
    }
    CHECK(worst < 1e-14);
    CHECK(cosine_of_turns(0.0) == 1.0);
    CHECK(cosine_of_turns(-3.0) == 1.0);
    CHECK(cosine_of_turns(0.5) == -1.0);
    CHECK(std::fabs(cosine_of_turns(0.25)) < 1e-15);
}

TEST_CASE("the logarithm is that of the standard library, up to its rounding") {
    for (int power = -2'190; power < 2'190; ++power) {
        const double value = std::pow(1.37, power);
        INFO(value);
        CHECK(std::fabs(portable_log(value) - std::log(value)) <= 1e-15 * (1.0 + std::fabs(std::log(value))));
    }
    CHECK(portable_log(1.0) == 0.0);
}

TEST_CASE("normal draws have the moments of the normal distribution, and the same bits everywhere") {
    RandomStream stream(5);
    constexpr int kDraws = 100'000;
    double sum = 0.0;
    double squares = 0.0;
    double fourths = 0.0;
    for (int i = 0; i < kDraws; ++i) {
        const double draw = portable_normal(stream);
        sum += draw;
        squares += draw * draw;
        fourths += draw * draw * draw * draw;
    }
    CHECK(sum / kDraws == doctest::Approx(0.0).epsilon(0.02).scale(1.0));
    CHECK(squares / kDraws == doctest::Approx(1.0).epsilon(0.02));
    CHECK(fourths / kDraws == doctest::Approx(3.0).epsilon(0.05));
    RandomStream golden(1);
    CHECK(portable_normal(golden) == 0x1.e267c87ac62ebp+0);
    CHECK(portable_normal(golden) == 0x1.4d55c9633557cp+0);
}
