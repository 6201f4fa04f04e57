#include "node/learning/ensemble/judgement.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "node/learning/data/assert.hpp"

namespace unlearn::learning {
namespace {

using namespace judgement;

std::string number(double value, const char* format = "%.3g") {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string percent(double share) {
    return number(100.0 * share, "%.1f") + " %";
}

struct ReferenceFacts {
    double information = 0.0;  ///< how much the answer says about the input, in nats
    double most_common = 0.0;  ///< the share of the most frequent answer
    std::size_t answer = 0;    ///< the most frequent answer
};

double entropy(std::span<const double> shares) {
    double sum = 0.0;
    for (const double share : shares)
        if (share > 0.0) sum -= share * std::log(share);
    return sum;
}

ReferenceFacts facts_on_reference(std::span<const float> logits, std::size_t classes) {
    const std::size_t rows = logits.size() / classes;
    std::vector<double> mean(classes, 0.0);
    std::vector<double> shares(classes);
    std::vector<std::size_t> answers(classes, 0);
    double mean_entropy = 0.0;
    for (std::size_t row = 0; row < rows; ++row) {
        const auto z = logits.subspan(row * classes, classes);
        const auto most = std::max_element(z.begin(), z.end());
        ++answers[static_cast<std::size_t>(most - z.begin())];
        double sum = 0.0;
        for (std::size_t c = 0; c < classes; ++c) {
            shares[c] = std::exp(static_cast<double>(z[c]) - static_cast<double>(*most));
            sum += shares[c];
        }
        for (std::size_t c = 0; c < classes; ++c) {
            shares[c] /= sum;
            mean[c] += shares[c] / static_cast<double>(rows);
        }
        mean_entropy += entropy(shares) / static_cast<double>(rows);
    }
    const auto top = std::max_element(answers.begin(), answers.end());
    // Rounding must not make it negative.
    return {std::max(0.0, entropy(mean) - mean_entropy),
            static_cast<double>(*top) / static_cast<double>(rows),
            static_cast<std::size_t>(top - answers.begin())};
}

std::optional<std::string> judge_outputs(const Voter& on_reference, std::span<const float> validation) {
    const auto extreme = [](std::span<const float> logits) {
        double most = 0.0;
        for (const float z : logits)
            most = std::max(most, std::fabs(static_cast<double>(z)));
        return most;
    };
    const double most = std::max(extreme(on_reference.logits), extreme(validation));
    if (most > kExtremeLogit)
        return "its logits reach " + number(most) + "; at most " + number(kExtremeLogit) + " is usable";

    const ClassMask& known = *on_reference.known;
    const std::size_t rows = on_reference.logits.size() / known.size();
    if (rows < 2) return std::nullopt;
    const ReferenceFacts facts = facts_on_reference(on_reference.logits, known.size());
    if (facts.information < kLeastInformation)
        return "its answers hardly depend on the input: " + number(facts.information) +
               " nats over the reference set, at least " + number(kLeastInformation) + " expected";
    const auto claimed = std::count(known.begin(), known.end(), true);
    if (rows >= kLeastReferenceRows && claimed > 1 && facts.most_common > kOneAnswer)
        return "it answers class " + std::to_string(facts.answer) + " for " + percent(facts.most_common) +
               " of the reference set but claims to know " + std::to_string(claimed) + " classes";
    return std::nullopt;
}

}  // namespace

double binomial_cdf(std::size_t successes, std::size_t trials, double probability) {
    UNLEARN_ASSERT(probability > 0.0 && probability < 1.0);
    const auto n = static_cast<double>(trials);
    double sum = 0.0;
    for (std::size_t i = 0; i <= std::min(successes, trials); ++i) {
        const auto k = static_cast<double>(i);
        sum += std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) +
                        k * std::log(probability) + (n - k) * std::log1p(-probability));
    }
    return std::min(sum, 1.0);
}

std::optional<std::string> judge_seed(const Voter& on_reference, const Voter& on_validation,
                                      std::span<const std::int64_t> labels) {
    if (auto degenerate = judge_outputs(on_reference, on_validation.logits)) return degenerate;

    const ClassMask& known = *on_validation.known;
    const std::size_t classes = known.size();
    UNLEARN_ASSERT(on_validation.logits.size() == labels.size() * classes);
    const auto claimed = static_cast<std::size_t>(std::count(known.begin(), known.end(), true));
    if (claimed < 2) return std::nullopt;
    std::size_t rows = 0;
    std::size_t right = 0;
    for (std::size_t row = 0; row < labels.size(); ++row) {
        const auto label = static_cast<std::size_t>(labels[row]);
        if (!known[label]) continue;
        const auto z = on_validation.logits.subspan(row * classes, classes);
        bool beaten = false;
        for (std::size_t c = 0; c < classes; ++c)
            beaten = beaten || (known[c] && c != label && z[c] >= z[label]);
        ++rows;
        if (!beaten) ++right;
    }
    if (rows < kLeastRows) return std::nullopt;
    const double chance = 1.0 / static_cast<double>(claimed);
    const double asked = std::min(kTimesChance * chance, chance + kPartOfTheWay * (1.0 - chance));
    if (binomial_cdf(right, rows, asked) >= kSignificance) return std::nullopt;
    return "it is right on " + std::to_string(right) + " of " + std::to_string(rows) +
           " validation examples of the " + std::to_string(claimed) + " classes it knows (" +
           percent(static_cast<double>(right) / static_cast<double>(rows)) + "); guessing gets " +
           percent(chance);
}

}  // namespace unlearn::learning
