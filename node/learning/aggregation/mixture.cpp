#include "node/learning/aggregation/mixture.hpp"

#include <cmath>

#include "node/learning/aggregation/arithmetic.hpp"
#include "node/learning/aggregation/geometric.hpp"
#include "node/learning/data/assert.hpp"
#include "node/learning/minimise.hpp"

namespace unlearn::learning {

std::unique_ptr<Mixture> Mixture::make(Aggregation aggregation, std::size_t classes, const Voter& main,
                                       std::span<const Voter> seeds) {
    switch (aggregation) {
        case Aggregation::known_classes:
            return std::make_unique<KnownClassesMixture>(classes, main, seeds);
        case Aggregation::hdus:
            return std::make_unique<HdusMixture>(classes, main, seeds);
        case Aggregation::mean_probabilities:
            return std::make_unique<MeanProbabilitiesMixture>(classes, main, seeds);
        case Aggregation::median:
            return std::make_unique<MedianMixture>(classes, main, seeds);
    }
    UNLEARN_ASSERT(false);
    return nullptr;
}

Mixture::Mixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds)
    : classes_(classes),
      rows_(main.logits.size() / classes),
      has_seeds_(!seeds.empty()),
      main_votes_(main.logits.size()),
      seed_votes_(main.logits.size(), 0.0),
      results_(main.logits.size(), 1.0 / static_cast<double>(classes)) {
    UNLEARN_ASSERT(main.logits.size() == rows_ * classes);
    for (const Voter& seed : seeds)
        UNLEARN_ASSERT(seed.logits.size() == main.logits.size());
}

std::span<const double> Mixture::mix(std::size_t row, double rho) {
    const auto result = row_of(results_, row);
    mix_row(row, has_seeds_ ? rho : 0.0, result);
    return result;
}

void apply_prior(std::span<double> probabilities, std::span<const double> distribution) {
    UNLEARN_ASSERT(probabilities.size() == distribution.size());
    double sum = 0.0;
    for (std::size_t c = 0; c < probabilities.size(); ++c)
        sum += probabilities[c] * distribution[c];
    if (!(sum > 0.0)) return;
    for (std::size_t c = 0; c < probabilities.size(); ++c)
        probabilities[c] *= distribution[c] / sum;
}

double choose_rho(Mixture& mixture, std::span<const std::int64_t> labels,
                  std::span<const double> own_distribution) {
    // Counts as if a few examples had been predicted better with the seeds and a few with the main model. The
    // cost then has its minimum strictly between 0 and 1, so rho always responds to a change of the members.
    constexpr double kExamplesForSeeds = 3.0;
    constexpr double kExamplesForMain = 2.0;
    static_assert(kExamplesForSeeds / (kExamplesForSeeds + kExamplesForMain) == kDefaultRho);
    constexpr double kLowest = 0.001;
    constexpr double kHighest = 0.999;
    constexpr double kPrecision = 1e-5;
    UNLEARN_ASSERT(labels.size() == mixture.rows());
    if (!mixture.has_seeds()) return 0.0;

    std::vector<double> asked(mixture.classes());
    const auto cost = [&](double rho) {
        double sum = -kExamplesForSeeds * std::log(rho) - kExamplesForMain * std::log(1.0 - rho);
        for (std::size_t row = 0; row < labels.size(); ++row) {
            const auto mixed = mixture.mix(row, rho);
            asked.assign(mixed.begin(), mixed.end());
            apply_prior(asked, own_distribution);
            sum -= std::log(asked[static_cast<std::size_t>(labels[row])] + 1e-6);
        }
        return sum;
    };

    return minimise(kLowest, kHighest, kPrecision, cost);
}

}  // namespace unlearn::learning
