#include "sim/experiments/known_logits.hpp"

#include <utility>

#include <ATen/ATen.h>

#include "node/learning/accuracy.hpp"

namespace unlearn::sim::experiments {

Answers answers_of(const learning::Ensemble& ensemble, std::span<const float> main_logits,
                   const SeedLogits& seeds) {
    std::vector<std::span<const float>> logits;
    for (const auto& member : ensemble.members())
        logits.push_back(seeds.at(member->id()));
    auto tables = ensemble.combine(main_logits, logits, learning::kPriors);
    return {std::move(tables[0]), std::move(tables[1])};
}

ScopedAccuracy accuracy_of(const learning::Ensemble& ensemble, Answers answers,
                           const learning::Dataset& test) {
    const auto table = [&](std::vector<float>& values) {
        return at::from_blob(values.data(), {test.size(), test.classes()});
    };
    return {learning::own_accuracy(table(answers.own_prior), test, ensemble.own().distribution()),
            learning::full_accuracy(table(answers.uniform_prior), test)};
}

}  // namespace unlearn::sim::experiments
