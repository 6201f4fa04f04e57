#include "node/learning/aggregation/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "node/learning/data/assert.hpp"
#include "node/learning/minimise.hpp"

namespace unlearn::learning {
namespace {

constexpr std::size_t kLeastRows = 20;
constexpr double kLargestTemperature = 5.0;
constexpr double kPrecision = 1e-4;  // in the logarithm of the temperature
// The least log probability that counts for a row (that of about 1 in 8,000), so that no single row
// dominates.
constexpr double kLeastLogLoss = -9.0;
// Pulls the temperature towards 1. This is the cost, in nats over all rows, when its logarithm is off by 1.
constexpr double kPull = 3.0;

// Returns the mean log probability of the right class among the known ones, with the logits divided by
// `temperature`.
double mean_log_likelihood(const Voter& voter, std::span<const std::int64_t> labels,
                           std::span<const std::size_t> rows, double temperature) {
    const ClassMask& known = *voter.known;
    double sum = 0.0;
    for (const std::size_t row : rows) {
        const auto z = voter.logits.subspan(row * known.size(), known.size());
        const auto label = static_cast<std::size_t>(labels[row]);
        double total = 0.0;
        for (std::size_t c = 0; c < known.size(); ++c)
            if (known[c])
                total += std::exp((static_cast<double>(z[c]) - static_cast<double>(z[label])) / temperature);
        sum += std::max(kLeastLogLoss, -std::log(total));
    }
    return sum / static_cast<double>(rows.size());
}

}  // namespace

Calibration calibrate(const Voter& on_validation, std::span<const std::int64_t> labels) {
    const ClassMask& known = *on_validation.known;
    UNLEARN_ASSERT(on_validation.logits.size() == labels.size() * known.size());
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < labels.size(); ++row)
        if (known[static_cast<std::size_t>(labels[row])]) rows.push_back(row);
    Calibration calibration;
    if (rows.size() < kLeastRows) {
        // Too few rows to judge by, so the voter counts as if it guessed.
        const auto claimed = std::count(known.begin(), known.end(), true);
        calibration.likelihood = 1.0 / static_cast<double>(std::max<std::ptrdiff_t>(1, claimed));
        return calibration;
    }
    const double pull = kPull / static_cast<double>(rows.size());
    const double furthest = std::log(kLargestTemperature);
    const double logarithm = minimise(-furthest, furthest, kPrecision, [&](double at) {
        return pull * at * at - mean_log_likelihood(on_validation, labels, rows, std::exp(at));
    });
    calibration.temperature = std::exp(logarithm);
    calibration.likelihood =
        std::exp(mean_log_likelihood(on_validation, labels, rows, calibration.temperature));
    return calibration;
}

}  // namespace unlearn::learning
