#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace unlearn::learning {

/// The number of filters that are applied side by side, and of patches that are seen side by side.
constexpr std::size_t kFiltersInBlock = 8;
constexpr std::size_t kPatchesInRun = 6;
/// Responses are summed in steps of 1 / kStepsPerUnit.
constexpr float kStepsPerUnit = 256.0F;

/// Patches beside each other.
struct PatchRun {
    std::array<const float*, kPatchesInRun> starts;
    std::array<float, kPatchesInRun> inverse_deviations;  ///< 0 for a place that has no patch
};

/// Filters beside each other.
struct FilterBlock {
    const float* filters;  ///< [pixels, kFiltersInBlock], whole numbers
    const float* scales;   ///< [kFiltersInBlock]
};

/// Sums of responses in steps, over the patches of a cell, for each filter of a block.
struct ResponseSums {
    std::array<std::int32_t, kFiltersInBlock> positive;  ///< of max(z - 0.1, 0)
    std::array<std::int32_t, kFiltersInBlock> negative;  ///< of max(-z - 0.1, 0)
};

/// Returns the sums over all runs for a block of filters, where the response z is the product of patch and
/// filter, times the patch's inverse deviation, times the filter's scale. `offsets` says where the pixels of
/// a patch lie. The bits are the same on every processor: products of pixels and filters are whole numbers
/// below 2^24, what follows is done for each response by itself, and sums of steps are whole numbers again.
[[nodiscard]] ResponseSums sum_responses(std::span<const PatchRun> runs, std::span<const std::size_t> offsets,
                                         const FilterBlock& block);

}  // namespace unlearn::learning
