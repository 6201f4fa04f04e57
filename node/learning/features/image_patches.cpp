#include "node/learning/features/image_patches.hpp"

#include <algorithm>
#include <cmath>

namespace unlearn::learning {
namespace {

// In squared pixel values, as in Coates, Ng and Lee.
constexpr double kAddedVariance = 10.0;
/// Tells a patch with contrast from a flat one, which says nothing about shapes.
constexpr double kSmallestVariance = 1.0;

double variance_of(const PatchContrast& contrast) {
    return contrast.deviation * contrast.deviation - kAddedVariance;
}

}  // namespace

PatchGeometry::PatchGeometry(const InputShape& shape, std::int64_t side)
    : width_(static_cast<std::size_t>(shape.width)),
      rows_(static_cast<std::size_t>(shape.height - side + 1)),
      columns_(static_cast<std::size_t>(shape.width - side + 1)) {
    for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
        for (std::int64_t y = 0; y < side; ++y) {
            for (std::int64_t x = 0; x < side; ++x)
                offsets_.push_back(static_cast<std::size_t>((channel * shape.height + y) * shape.width + x));
        }
    }
}

std::vector<float> pixels_of(std::span<const float> features) {
    static constexpr float kWhite = 255.0F;
    std::vector<float> pixels(features.size());
    std::transform(features.begin(), features.end(), pixels.begin(),
                   [](float value) { return std::floor(std::clamp(value * kWhite, 0.0F, kWhite) + 0.5F); });
    return pixels;
}

PatchContrast contrast_of(const float* start, std::span<const std::size_t> offsets) {
    std::int32_t sum = 0;
    std::int32_t squares = 0;
    for (const std::size_t offset : offsets) {
        const auto pixel = static_cast<std::int32_t>(start[offset]);
        sum += pixel;
        squares += pixel * pixel;
    }
    const auto count = static_cast<double>(offsets.size());
    const double mean = sum / count;
    // The numerator is a whole number below 2^53, so it is exact.
    const double variance = (count * squares - static_cast<double>(sum) * sum) / (count * count);
    return {mean, std::sqrt(variance + kAddedVariance)};
}

SampledPatches sample_patches(std::span<const float> images, const InputShape& shape, std::int64_t side,
                              std::size_t count, RandomStream& stream) {
    const PatchGeometry geometry(shape, side);
    const auto size = static_cast<std::size_t>(shape.size());
    constexpr std::size_t kTriesForEach = 20;
    SampledPatches sampled{0, geometry.pixels(), {}};
    sampled.values.reserve(count * geometry.pixels());
    for (std::size_t left = kTriesForEach * count; left > 0 && sampled.count < count; --left) {
        const float* image = images.data() + stream.below(images.size() / size) * size;
        const std::size_t row = stream.below(geometry.rows());
        const float* start = image + geometry.start(row, stream.below(geometry.columns()));
        const PatchContrast contrast = contrast_of(start, geometry.offsets());
        if (variance_of(contrast) < kSmallestVariance) continue;
        for (const std::size_t offset : geometry.offsets())
            sampled.values.push_back((start[offset] - contrast.mean) / contrast.deviation);
        ++sampled.count;
    }
    return sampled;
}

}  // namespace unlearn::learning
