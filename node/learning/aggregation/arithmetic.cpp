#include "node/learning/aggregation/arithmetic.hpp"

namespace unlearn::learning {

ArithmeticMixture::ArithmeticMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds,
                                     Vote& vote)
    : Mixture(classes, main, seeds) {
    for (std::size_t row = 0; row < rows(); ++row)
        vote(main, row, main_vote(row));
    const double total = total_weight(seeds);
    std::vector<double> one(classes);
    for (const Voter& seed : seeds) {
        const double weight = seed.weight / total;
        for (std::size_t row = 0; row < rows(); ++row) {
            vote(seed, row, one);
            const auto sum = seeds_vote(row);
            for (std::size_t c = 0; c < classes; ++c)
                sum[c] += weight * one[c];
        }
    }
}

void ArithmeticMixture::mix_row(std::size_t row, double rho, std::span<double> result) {
    const auto main = main_vote(row);
    const auto seeds = seeds_vote(row);
    for (std::size_t c = 0; c < result.size(); ++c)
        result[c] = (1.0 - rho) * main[c] + rho * seeds[c];
}

HdusMixture::HdusMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds)
    : ArithmeticMixture(classes, main, seeds, vote_logits) {}

void HdusMixture::mix_row(std::size_t row, double rho, std::span<double> result) {
    ArithmeticMixture::mix_row(row, rho, result);
    softmax(result);
}

MeanProbabilitiesMixture::MeanProbabilitiesMixture(std::size_t classes, const Voter& main,
                                                   std::span<const Voter> seeds)
    : ArithmeticMixture(classes, main, seeds, vote_probabilities) {}

}  // namespace unlearn::learning
