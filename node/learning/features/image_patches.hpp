#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "node/learning/data/random.hpp"
#include "node/learning/data/table.hpp"

namespace unlearn::learning {

/// Where the pixels of a square patch lie in an image, and where patches may lie. An image is [channels,
/// height, width], row-major, as float32 numbers from 0 to 255.
class PatchGeometry {
  public:
    PatchGeometry(const InputShape& shape, std::int64_t side);

    /// The pixels of a patch, relative to its first one.
    [[nodiscard]] const std::vector<std::size_t>& offsets() const { return offsets_; }
    [[nodiscard]] std::size_t pixels() const { return offsets_.size(); }
    /// The number of places for a patch.
    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] std::size_t columns() const { return columns_; }
    /// The first pixel of the patch at a place.
    [[nodiscard]] std::size_t start(std::size_t row, std::size_t column) const {
        return row * width_ + column;
    }

  private:
    std::size_t width_;
    std::size_t rows_;
    std::size_t columns_;
    std::vector<std::size_t> offsets_;
};

/// Converts features of images, scaled to [0, 1], back to whole pixel values from 0 to 255.
[[nodiscard]] std::vector<float> pixels_of(std::span<const float> features);

/// The mean and the deviation of a patch's pixels. The deviation has a constant added below its root, so that
/// the noise of a flat patch is not blown up (Coates, Ng and Lee, 2011).
struct PatchContrast {
    double mean;
    double deviation;
};
/// Reads the patch that starts at `start`. Exact sums of whole pixels make the bits the same everywhere.
[[nodiscard]] PatchContrast contrast_of(const float* start, std::span<const std::size_t> offsets);

/// Patches with mean 0 and about unit variance, [count, pixels], row-major.
struct SampledPatches {
    std::size_t count = 0;
    std::size_t pixels = 0;
    std::vector<double> values;
};
/// Draws up to `count` patches from images. Patches without contrast are not taken, and the result has fewer
/// patches when there are hardly any others. `images` holds whole images, one after the other.
[[nodiscard]] SampledPatches sample_patches(std::span<const float> images, const InputShape& shape,
                                            std::int64_t side, std::size_t count, RandomStream& stream);

}  // namespace unlearn::learning
