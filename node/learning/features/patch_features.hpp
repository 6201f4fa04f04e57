#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "node/learning/features/filter_responses.hpp"
#include "node/learning/features/filters.hpp"
#include "node/learning/features/recipe.hpp"

namespace unlearn::learning {

/// The part of a feature map that sees images: responses of filters, pooled. Immutable.
///
/// For a patch with pixels p, mean m and deviation d, a filter f answers z = f (p - m) / d. A filter's values
/// are whole numbers that sum to 0, and pixels are whole numbers, so f p is a whole number below 2^24: the
/// same bits in every order of summation. Both max(z - 0.1, 0) and max(-z - 0.1, 0) are rounded to multiples
/// of 1/256, so that their sums over a cell of the grid are whole numbers, too.
class PatchFeatures {
  public:
    PatchFeatures(const FeatureRecipe& recipe, const InputShape& shape, Filters filters);

    [[nodiscard]] std::size_t size() const { return cells() * 2 * filters_.count; }
    [[nodiscard]] const Filters& filters() const { return filters_; }
    /// Writes the square root of the mean response, [grid, grid, filters, sign], for one image [channels,
    /// height, width] of pixels from 0 to 255.
    void apply(const float* image, std::span<float> features) const;

  private:
    [[nodiscard]] std::size_t cells() const { return grid_ * grid_; }
    /// Writes the features of a cell with this number of patches, [filters, sign].
    void apply_to_cell(std::span<const PatchRun> runs, std::size_t patches, float* features) const;

    std::size_t grid_;
    PatchGeometry geometry_;
    Filters filters_;
    std::size_t blocks_;         ///< of kFiltersInBlock filters; the last one is filled with zeros
    std::vector<float> packed_;  ///< [blocks, pixels, kFiltersInBlock]
    std::vector<float> scales_;  ///< [blocks, kFiltersInBlock]
};

}  // namespace unlearn::learning
