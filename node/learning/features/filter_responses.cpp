#include "node/learning/features/filter_responses.hpp"

#include <cstring>

namespace unlearn::learning {
namespace {

constexpr float kThreshold = 0.1F;
constexpr float kMostSteps = 8'191.0F;

// Eight numbers that the compiler keeps in registers of any width. It treats each by itself, so the width
// changes no bit.
using Eight = float __attribute__((vector_size(kFiltersInBlock * sizeof(float))));
using EightSteps = std::int32_t __attribute__((vector_size(kFiltersInBlock * sizeof(std::int32_t))));

#define UNLEARN_INLINE inline __attribute__((always_inline))

UNLEARN_INLINE void load(Eight& into, const float* from) {
    std::memcpy(&into, from, sizeof into);
}

/// Multiplies a run of patches with a block of filters.
UNLEARN_INLINE void multiply(const PatchRun& run, std::span<const std::size_t> offsets, const float* filters,
                             std::array<Eight, kPatchesInRun>& products) {
    // Variables of their own, which stay in registers; an array does not with every compiler.
    Eight first{};
    Eight second{};
    Eight third{};
    Eight fourth{};
    Eight fifth{};
    Eight sixth{};
    for (const std::size_t offset : offsets) {
        Eight values;
        load(values, filters);
        filters += kFiltersInBlock;
        first += run.starts[0][offset] * values;
        second += run.starts[1][offset] * values;
        third += run.starts[2][offset] * values;
        fourth += run.starts[3][offset] * values;
        fifth += run.starts[4][offset] * values;
        sixth += run.starts[5][offset] * values;
    }
    products = {first, second, third, fourth, fifth, sixth};
}

UNLEARN_INLINE void sum_in_steps(std::span<const PatchRun> runs, std::span<const std::size_t> offsets,
                                 const FilterBlock& block, ResponseSums& result) {
    Eight scales;
    load(scales, block.scales);
    EightSteps positive{};
    EightSteps negative{};
    std::array<Eight, kPatchesInRun> products;
    for (const PatchRun& run : runs) {
        multiply(run, offsets, block.filters, products);
        for (std::size_t i = 0; i < kPatchesInRun; ++i) {
            const Eight response = products[i] * run.inverse_deviations[i] * scales;
            const EightSteps is_positive = response > 0.0F;
            Eight above = (response > 0.0F ? response : -response) - kThreshold;
            above = above > 0.0F ? above : Eight{};
            Eight steps = above * kStepsPerUnit + 0.5F;
            steps = steps < kMostSteps ? steps : kMostSteps - Eight{};
            const auto whole = __builtin_convertvector(steps, EightSteps);
            positive += whole & is_positive;
            negative += whole & ~is_positive;
        }
    }
    std::memcpy(result.positive.data(), &positive, sizeof positive);
    std::memcpy(result.negative.data(), &negative, sizeof negative);
}

#ifdef __x86_64__
// The same for processors with wider registers, in half the time.
__attribute__((target("avx2"))) void sum_with_avx2(std::span<const PatchRun> runs,
                                                   std::span<const std::size_t> offsets,
                                                   const FilterBlock& block, ResponseSums& result) {
    sum_in_steps(runs, offsets, block, result);
}
const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
#endif

}  // namespace

ResponseSums sum_responses(std::span<const PatchRun> runs, std::span<const std::size_t> offsets,
                           const FilterBlock& block) {
    ResponseSums sums;
#ifdef __x86_64__
    if (has_avx2) {
        sum_with_avx2(runs, offsets, block, sums);
        return sums;
    }
#endif
    sum_in_steps(runs, offsets, block, sums);
    return sums;
}

}  // namespace unlearn::learning
