#include "sim/report/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/math/distributions/students_t.hpp>

namespace unlearn::sim::report {
namespace {

constexpr double kConfidence = 0.95;
constexpr const char* kSeed = "seed";

/// How many standard errors from the mean the interval reaches.
double reach(std::size_t repeats) {
    const boost::math::students_t distribution(static_cast<double>(repeats - 1));
    return boost::math::quantile(boost::math::complement(distribution, (1.0 - kConfidence) / 2.0));
}

}  // namespace

double nearest_rank(std::span<const double> sorted, double part) {
    const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

std::optional<Estimate> estimate(std::span<const double> repeats) {
    if (repeats.empty()) return std::nullopt;
    const auto count = static_cast<double>(repeats.size());
    double sum = 0.0;
    for (const double value : repeats)
        sum += value;
    Estimate result{sum / count, std::nullopt, repeats.size()};
    if (repeats.size() == 1) return result;

    double squares = 0.0;
    for (const double value : repeats)
        squares += (value - result.mean) * (value - result.mean);
    result.half_width = reach(repeats.size()) * std::sqrt(squares / (count - 1.0) / count);
    return result;
}

void SeedAverages::add(const Row& row) {
    if (!std::isfinite(row.value)) return;
    const auto seed = row.labels.find(kSeed);
    Sum& sum = sums_[seed == row.labels.end() ? Label{} : seed->second];
    sum.total += row.value;
    ++sum.count;
}

std::map<Label, double> SeedAverages::averages() const {
    std::map<Label, double> result;
    for (const auto& [seed, sum] : sums_)
        result[seed] = sum.total / static_cast<double>(sum.count);
    return result;
}

std::optional<Estimate> SeedAverages::over_seeds() const {
    std::vector<double> repeats;
    for (const auto& [seed, average] : averages())
        repeats.push_back(average);
    return estimate(repeats);
}

std::optional<Estimate> paired_difference(const SeedAverages& a, const SeedAverages& b) {
    const auto others = b.averages();
    std::vector<double> differences;
    for (const auto& [seed, average] : a.averages())
        if (const auto other = others.find(seed); other != others.end())
            differences.push_back(average - other->second);
    return estimate(differences);
}

}  // namespace unlearn::sim::report
