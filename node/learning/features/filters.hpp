#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "node/learning/data/random.hpp"
#include "node/learning/features/image_patches.hpp"

namespace unlearn::learning {

/// Whitens patches in the directions of the pixels (ZCA): a symmetric row-major matrix [pixels, pixels].
/// Directions with little variance are damped.
[[nodiscard]] std::vector<double> whitening_of(const SampledPatches& patches);

/// Multiplies every patch by a symmetric matrix.
void transform(SampledPatches& patches, const std::vector<double>& matrix);

/// Finds `count` unit vectors [count, pixels] that the patches lie along, by spherical K-means (Coates and
/// Ng, 2012). There must be at least as many patches.
[[nodiscard]] std::vector<double> spherical_centres(const SampledPatches& patches, std::size_t count,
                                                    RandomStream& stream);

/// Filters rounded to whole numbers from -127 to 127.
struct Filters {
    std::size_t count = 0;
    std::size_t pixels = 0;
    std::vector<std::int8_t>
        values;                 ///< [count, pixels]; those of a filter sum to 0, so that it sees no mean
    std::vector<float> scales;  ///< [count]; what a filter's values are multiplied by
};
/// Makes filters for plain patches from whitened centres.
[[nodiscard]] Filters make_filters(const std::vector<double>& centres, const std::vector<double>& whitening,
                                   std::size_t pixels);

}  // namespace unlearn::learning
