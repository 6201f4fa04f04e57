#include "node/learning/features/patch_features.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "node/learning/features/filter_responses.hpp"

namespace unlearn::learning {
namespace {

/// Rows or columns of places for patches, from the first to before the last.
struct Places {
    std::size_t begin;
    std::size_t end;
    [[nodiscard]] std::size_t size() const { return end - begin; }
};

Places part_of(std::size_t places, std::size_t index, std::size_t parts) {
    return {index * places / parts, (index + 1) * places / parts};
}

/// The patches of one cell, in runs along its rows.
std::vector<PatchRun> runs_of(const float* image, const PatchGeometry& geometry, const Places& rows,
                              const Places& columns) {
    std::vector<PatchRun> runs;
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
        for (std::size_t first = columns.begin; first < columns.end; first += kPatchesInRun) {
            PatchRun run{};
            for (std::size_t i = 0; i < kPatchesInRun; ++i) {
                const std::size_t column = std::min(first + i, columns.end - 1);
                run.starts[i] = image + geometry.start(row, column);
                if (first + i == column) {
                    const double deviation = contrast_of(run.starts[i], geometry.offsets()).deviation;
                    run.inverse_deviations[i] = static_cast<float>(1.0 / deviation);
                }
            }
            runs.push_back(run);
        }
    }
    return runs;
}

float root_of_mean(std::int32_t steps, std::size_t patches) {
    const double steps_per_unit = static_cast<double>(kStepsPerUnit) * static_cast<double>(patches);
    return static_cast<float>(std::sqrt(steps / steps_per_unit));
}

}  // namespace

PatchFeatures::PatchFeatures(const FeatureRecipe& recipe, const InputShape& shape, Filters filters)
    : grid_(static_cast<std::size_t>(recipe.grid)),
      geometry_(shape, recipe.side),
      filters_(std::move(filters)),
      blocks_((filters_.count + kFiltersInBlock - 1) / kFiltersInBlock),
      packed_(blocks_ * filters_.pixels * kFiltersInBlock, 0.0F),
      scales_(blocks_ * kFiltersInBlock, 0.0F) {
    for (std::size_t k = 0; k < filters_.count; ++k) {
        scales_[k] = filters_.scales[k];
        float* block = packed_.data() + k / kFiltersInBlock * filters_.pixels * kFiltersInBlock;
        for (std::size_t i = 0; i < filters_.pixels; ++i)
            block[i * kFiltersInBlock + k % kFiltersInBlock] = filters_.values[k * filters_.pixels + i];
    }
}

void PatchFeatures::apply(const float* image, std::span<float> features) const {
    for (std::size_t cell = 0; cell < cells(); ++cell) {
        const Places rows = part_of(geometry_.rows(), cell / grid_, grid_);
        const Places columns = part_of(geometry_.columns(), cell % grid_, grid_);
        apply_to_cell(runs_of(image, geometry_, rows, columns), rows.size() * columns.size(),
                      features.data() + cell * 2 * filters_.count);
    }
}

void PatchFeatures::apply_to_cell(std::span<const PatchRun> runs, std::size_t patches,
                                  float* features) const {
    for (std::size_t block = 0; block < blocks_; ++block) {
        const std::size_t first = block * kFiltersInBlock;
        const auto sums = sum_responses(runs, geometry_.offsets(),
                                        {packed_.data() + first * filters_.pixels, scales_.data() + first});
        for (std::size_t k = 0; k < std::min(kFiltersInBlock, filters_.count - first); ++k) {
            features[2 * (first + k)] = root_of_mean(sums.positive[k], patches);
            features[2 * (first + k) + 1] = root_of_mean(sums.negative[k], patches);
        }
    }
}

}  // namespace unlearn::learning
