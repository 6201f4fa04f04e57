#include "node/learning/aggregation/voter.hpp"

#include <algorithm>
#include <cmath>

namespace unlearn::learning {
namespace {

constexpr double kFloor = -9.0;  // a probability of about 1 in 8,000

std::span<const float> row_of(const Voter& voter, std::size_t row, std::size_t classes) {
    return voter.logits.subspan(row * classes, classes);
}

bool all_finite(std::span<const float> logits) {
    return std::all_of(logits.begin(), logits.end(), [](float z) { return std::isfinite(z); });
}

}  // namespace

void normalise(std::span<double> values) {
    double sum = 0.0;
    for (const double value : values)
        sum += value;
    if (!(sum > 0.0)) return;
    for (double& value : values)
        value /= sum;
}

void softmax(std::span<double> values) {
    const double most = *std::max_element(values.begin(), values.end());
    for (double& value : values)
        value = std::exp(value - most);
    normalise(values);
}

void vote_logits(const Voter& voter, std::size_t row, std::span<double> vote) {
    const auto logits = row_of(voter, row, vote.size());
    const bool usable = all_finite(logits);
    for (std::size_t c = 0; c < vote.size(); ++c)
        vote[c] = usable ? logits[c] / voter.temperature : 0.0;
}

void vote_probabilities(const Voter& voter, std::size_t row, std::span<double> vote) {
    vote_logits(voter, row, vote);
    softmax(vote);
}

void vote_log_probabilities(const Voter& voter, std::size_t row, std::span<double> vote) {
    const auto logits = row_of(voter, row, vote.size());
    const ClassMask& known = *voter.known;
    const bool usable = all_finite(logits);
    double most = -1e300;
    for (std::size_t c = 0; c < vote.size(); ++c) {
        vote[c] = usable && known[c] ? logits[c] / voter.temperature : 0.0;
        if (known[c]) most = std::max(most, vote[c]);
    }
    double sum = 0.0;
    for (std::size_t c = 0; c < vote.size(); ++c) {
        if (known[c]) sum += std::exp(vote[c] - most);
    }
    const double normaliser = most + std::log(sum);
    for (std::size_t c = 0; c < vote.size(); ++c)
        vote[c] = known[c] ? std::max(vote[c] - normaliser, kFloor) : 0.0;
}

double total_weight(std::span<const Voter> voters) {
    double sum = 0.0;
    for (const Voter& voter : voters)
        sum += voter.weight;
    return sum;
}

}  // namespace unlearn::learning
