#include "node/learning/aggregation/calibration.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "node/learning/data/random.hpp"

using namespace unlearn::learning;

namespace {

constexpr std::size_t kClasses = 3;
const ClassMask kAllClasses{true, true, true};

/// Rows whose label is drawn from softmax(z): with these logits a voter is exactly as sure as it is right.
struct Honest {
    std::vector<float> logits;
    std::vector<std::int64_t> labels;
};

Honest honest_voter(std::size_t rows) {
    RandomStream random(7);
    Honest out;
    for (std::size_t row = 0; row < rows; ++row) {
        std::vector<double> share(kClasses);
        double sum = 0.0;
        for (double& value : share) {
            const double z = 2.0 * random.normal();
            out.logits.push_back(static_cast<float>(z));
            value = std::exp(z);
            sum += value;
        }
        double left = random.uniform() * sum;
        std::int64_t label = 0;
        while (label + 1 < static_cast<std::int64_t>(kClasses) &&
               (left -= share[static_cast<std::size_t>(label)]) > 0)
            ++label;
        out.labels.push_back(label);
    }
    return out;
}

std::vector<float> times(std::vector<float> logits, float factor) {
    for (float& z : logits)
        z *= factor;
    return logits;
}

}  // namespace

TEST_CASE("the temperature undoes what makes a voter too sure or not sure enough") {
    const Honest honest = honest_voter(4000);
    for (const double factor : {0.5, 1.0, 3.0}) {
        CAPTURE(factor);
        const auto logits = times(honest.logits, static_cast<float>(factor));
        const auto calibration = calibrate({logits, &kAllClasses}, honest.labels);
        CHECK(calibration.temperature == doctest::Approx(factor).epsilon(0.08));
    }
}

TEST_CASE("the likelihood tells a good voter from one that guesses and one that is wrong") {
    const Honest honest = honest_voter(500);
    const auto good = calibrate({honest.logits, &kAllClasses}, honest.labels);
    const std::vector<float> level(honest.logits.size(), 0.0F);
    const auto guesses = calibrate({level, &kAllClasses}, honest.labels);
    CHECK(guesses.likelihood == doctest::Approx(1.0 / 3.0).epsilon(0.01));
    CHECK(good.likelihood > 0.4);
    std::vector<std::int64_t> shifted = honest.labels;
    for (auto& label : shifted)
        label = (label + 1) % static_cast<std::int64_t>(kClasses);
    CHECK(calibrate({honest.logits, &kAllClasses}, shifted).likelihood < guesses.likelihood + 1e-9);
}

TEST_CASE("rows of classes that the voter does not know say nothing about it") {
    const Honest honest = honest_voter(300);
    const ClassMask two{true, true, false};
    auto logits = honest.logits;
    const auto before = calibrate({logits, &two}, honest.labels);
    for (std::size_t row = 0; row < honest.labels.size(); ++row)
        if (honest.labels[row] == 2)
            for (std::size_t c = 0; c < kClasses; ++c)
                logits[row * kClasses + c] = 50.0F;
    const auto after = calibrate({logits, &two}, honest.labels);
    CHECK(after.temperature == before.temperature);
    CHECK(after.likelihood == before.likelihood);
}

TEST_CASE("with hardly any rows a voter is taken as it is, and believed like a guess") {
    const Honest honest = honest_voter(10);
    const auto calibration = calibrate({times(honest.logits, 9.0F), &kAllClasses}, honest.labels);
    CHECK(calibration.temperature == 1.0);
    CHECK(calibration.likelihood == doctest::Approx(1.0 / 3.0));
}
