#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "node/learning/aggregation/mixture.hpp"

using namespace unlearn::learning;

namespace {

constexpr std::size_t kThree = 3;
const ClassMask kAll{true, true, true};

std::vector<double> mix(Aggregation aggregation, const std::vector<float>& main, const ClassMask& main_known,
                        const std::vector<std::vector<float>>& seeds, const std::vector<ClassMask>& known,
                        double rho) {
    std::vector<Voter> voters;
    for (std::size_t i = 0; i < seeds.size(); ++i)
        voters.push_back({seeds[i], &known[i]});
    const auto mixture = Mixture::make(aggregation, kThree, {main, &main_known}, voters);
    const auto result = mixture->mix(0, rho);
    return {result.begin(), result.end()};
}

double sum(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

TEST_CASE("hdus mixes raw logits as published") {
    const auto q = mix(Aggregation::hdus, {1, 0, 0}, kAll, {{0, 2, 0}, {0, 4, 0}}, {kAll, kAll}, 0.5);
    const double total = std::exp(0.5) + std::exp(1.5) + 1.0;
    CHECK(q[0] == doctest::Approx(std::exp(0.5) / total));
    CHECK(q[1] == doctest::Approx(std::exp(1.5) / total));
}

TEST_CASE("without seeds every aggregation is the main model") {
    for (const auto& traits : kAggregations) {
        const auto kind = *parse_aggregation(traits.name);
        const auto q = mix(kind, {0, 1, 2}, kAll, {}, {}, 0.9);
        CHECK(q[2] == doctest::Approx(std::exp(2.0) / (1.0 + std::exp(1.0) + std::exp(2.0))));
        CHECK(sum(q) == doctest::Approx(1.0));
    }
}

TEST_CASE("a voter that never saw the right class does not shout down those who did") {
    // The right class is 2. The main model has never seen it and is sure of class 0; two seeds know better.
    const ClassMask without{true, true, false};
    const std::vector<std::vector<float>> seeds{{0, 0, 3}, {0, 0, 3}};
    const auto known = mix(Aggregation::known_classes, {6, 0, -6}, without, seeds, {kAll, kAll}, 0.3);
    CHECK(known[2] > 0.7);
    const auto hdus = mix(Aggregation::hdus, {6, 0, -6}, without, seeds, {kAll, kAll}, 0.3);
    CHECK(hdus[2] < 0.1);
    // And the order of classes that all know is still the main model's to decide.
    CHECK(known[0] > known[1]);
}

TEST_CASE("the fixed point is one: no voter's conditional opinion is contradicted when all agree") {
    // Opinions derived from q = (.2, .3, .5), each restricted to what the voter knows.
    const auto logit = [](double p) { return static_cast<float>(std::log(p)); };
    const std::vector<float> all{logit(.2), logit(.3), logit(.5)};
    const auto q = mix(Aggregation::known_classes, all, ClassMask{true, true, false}, {all, all},
                       {ClassMask{false, true, true}, ClassMask{true, false, true}}, 0.7);
    CHECK(q[0] == doctest::Approx(.2).epsilon(1e-4));
    CHECK(q[1] == doctest::Approx(.3).epsilon(1e-4));
    CHECK(q[2] == doctest::Approx(.5).epsilon(1e-4));
}

TEST_CASE("one poisoned seed cannot rule the median, and has a bounded effect on known-classes") {
    const std::vector<std::vector<float>> seeds{{0, 4, 0}, {0, 4, 0}, {1000, -1000, -1000}, {0, 4, 0}};
    const std::vector<ClassMask> known(4, kAll);
    for (const auto kind : {Aggregation::median, Aggregation::known_classes}) {
        const auto q = mix(kind, {0, 3, 0}, kAll, seeds, known, 0.6);
        CHECK(q[1] > 0.6);
    }
    const auto hdus = mix(Aggregation::hdus, {0, 3, 0}, kAll, seeds, known, 0.6);
    CHECK(hdus[1] < 0.01);
}

TEST_CASE("a seed's weight is its share of the seeds' voice, and its temperature how loud it speaks") {
    const std::vector<float> main{0, 0, 0};
    const std::vector<float> first{4, 0, 0};
    const std::vector<float> second{0, 4, 0};
    const auto mixed = [&](double weight, double temperature) {
        const std::vector<Voter> voters{{first, &kAll, temperature, weight}, {second, &kAll}};
        for (const auto kind :
             {Aggregation::hdus, Aggregation::mean_probabilities, Aggregation::known_classes}) {
            const auto mixture = Mixture::make(kind, kThree, {main, &kAll}, voters);
            const auto q = mixture->mix(0, 0.5);
            if (weight == 3.0 || temperature == 1.0 / 3.0) CHECK(q[0] > q[1]);
            if (weight == 1.0 && temperature == 1.0) CHECK(q[0] == doctest::Approx(q[1]));
            if (weight == 0.0) CHECK(q[1] > q[2] + 1e-3);
            if (weight == 0.0) CHECK(q[0] == doctest::Approx(q[2]));
        }
    };
    mixed(1.0, 1.0);
    mixed(3.0, 1.0);
    mixed(0.0, 1.0);
    mixed(1.0, 1.0 / 3.0);
}

TEST_CASE("a seed that overflows on some input abstains there") {
    const float infinity = std::numeric_limits<float>::infinity();
    for (const auto& traits : kAggregations) {
        const auto kind = *parse_aggregation(traits.name);
        const auto q =
            mix(kind, {0, 3, 0}, kAll, {{infinity, 0, 0}, {0, std::nanf(""), 0}}, {kAll, kAll}, 0.5);
        CHECK(sum(q) == doctest::Approx(1.0));
        CHECK(q[1] > q[0]);
    }
}

TEST_CASE("a prior moves the answer into the world that is asked about") {
    std::vector<double> q{0.5, 0.3, 0.2};
    apply_prior(q, std::vector<double>{0.0, 0.5, 0.5});
    CHECK(q == std::vector<double>{0.0, 0.6, 0.4});
    apply_prior(q, std::vector<double>{1.0, 0.0, 0.0});
    CHECK(q == std::vector<double>{0.0, 0.6, 0.4});
}

TEST_CASE("rho follows the validation data, stays inside (0, 1), and notices every change") {
    const std::vector<double> even(3, 1.0 / 3);
    const std::vector<float> right{2, 0, 0, 0, 2, 0};
    const std::vector<float> wrong{0, 2, 0, 0, 0, 2};
    const std::vector<std::int64_t> labels{0, 1};
    const auto rho = [&](const std::vector<float>& main, const std::vector<float>& seed) {
        const std::vector<Voter> seeds{{seed, &kAll}};
        const auto mixture = Mixture::make(Aggregation::known_classes, kThree, {main, &kAll}, seeds);
        return choose_rho(*mixture, labels, even);
    };
    CHECK(rho(right, wrong) < kDefaultRho);
    CHECK(rho(wrong, right) > kDefaultRho);
    CHECK(rho(right, right) == doctest::Approx(kDefaultRho).epsilon(1e-3));
    CHECK(rho(wrong, right) < 1.0);
    std::vector<float> nearly = right;
    nearly[0] += 0.01F;
    CHECK(rho(wrong, right) != rho(wrong, nearly));
    const auto alone = Mixture::make(Aggregation::known_classes, kThree, {right, &kAll}, {});
    CHECK(choose_rho(*alone, labels, even) == 0.0);
}
