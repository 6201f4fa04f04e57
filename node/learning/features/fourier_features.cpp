#include "node/learning/features/fourier_features.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "node/learning/features/numbers.hpp"

namespace unlearn::learning {
namespace {

constexpr double kRootOfTwo = 0x1.6a09e667f3bcdp+0;
constexpr double kTwoPi = 0x1.921fb54442d18p+2;
/// Enough pairs for a median that hardly changes with the draw.
constexpr std::size_t kPairs = 2'000;

double median_distance(std::span<const float> reference, std::size_t columns, RandomStream& stream) {
    const std::size_t rows = reference.size() / columns;
    std::vector<double> distances;
    for (std::size_t pair = 0; pair < kPairs; ++pair) {
        const float* first = reference.data() + stream.below(rows) * columns;
        const float* second = reference.data() + stream.below(rows) * columns;
        double sum = 0.0;
        for (std::size_t i = 0; i < columns; ++i) {
            const double difference = static_cast<double>(first[i]) - second[i];
            sum += difference * difference;
        }
        if (sum > 0.0) distances.push_back(std::sqrt(sum));
    }
    if (distances.empty()) return 1.0;
    const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
    std::nth_element(distances.begin(), middle, distances.end());
    return *middle;
}

}  // namespace

FourierFeatures::FourierFeatures(std::vector<float> frequencies, std::vector<float> phases)
    : frequencies_(std::move(frequencies)), phases_(std::move(phases)) {}

FourierFeatures FourierFeatures::draw(std::span<const float> reference, std::size_t columns,
                                      std::size_t features, RandomStream& stream) {
    const double scale = 1.0 / (median_distance(reference, columns, stream) * kTwoPi);
    std::vector<float> frequencies(features * columns);
    for (float& frequency : frequencies)
        frequency = static_cast<float>(portable_normal(stream) * scale);
    std::vector<float> phases(features);
    for (float& phase : phases)
        phase = static_cast<float>(stream.uniform());
    return {std::move(frequencies), std::move(phases)};
}

void FourierFeatures::apply(const float* row, std::span<float> features) const {
    std::copy_n(row, columns(), features.begin());
    for (std::size_t k = 0; k < phases_.size(); ++k) {
        const float* frequency = frequencies_.data() + k * columns();
        double turns = phases_[k];
        for (std::size_t i = 0; i < columns(); ++i)
            turns += static_cast<double>(frequency[i]) * row[i];
        features[columns() + k] = static_cast<float>(kRootOfTwo * cosine_of_turns(turns));
    }
}

}  // namespace unlearn::learning
