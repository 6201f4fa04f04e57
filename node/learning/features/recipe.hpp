#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "node/learning/data/result.hpp"
#include "node/learning/data/table.hpp"

namespace unlearn::learning {

/// The kinds of feature maps.
enum class FeatureKind {
    patches,  ///< images: responses to small filters, pooled (Coates, Ng and Lee, AISTATS 2011)
    fourier,  ///< tables: the columns beside random Fourier features (Rahimi and Recht, NIPS 2007)
};

/// How a feature map is learned from a reference set. A recipe has exactly one text: text() returns what
/// parse_feature_recipe() accepts.
///
// clang-format off
/// | text               | map                                                                                  |
/// |--------------------|--------------------------------------------------------------------------------------|
/// | `patches:64x6-4x4` | 64 filters of 6x6 pixels, both signs of their responses, pooled over a grid of 4x4 cells |
/// | `fourier:1024`     | the columns of the table, and 1,024 random Fourier features                          |
// clang-format on
struct FeatureRecipe {
    FeatureKind kind = FeatureKind::patches;
    std::int64_t count = 0;  ///< patches: filters; fourier: random features
    std::int64_t side = 0;   ///< patches: pixels along a side of a patch
    std::int64_t grid = 0;   ///< patches: cells along a side of the grid

    [[nodiscard]] std::string text() const;
    friend bool operator==(const FeatureRecipe&, const FeatureRecipe&) = default;
};

/// Parses the text of a recipe. The message of an error gives examples.
[[nodiscard]] Result<FeatureRecipe> parse_feature_recipe(std::string_view text);

/// The most features that a map may give a row.
constexpr std::int64_t kMostFeatures = 16'384;

/// Returns how many features a row of this shape gets. Fails if the map cannot be applied to such rows, for
/// example because an image is smaller than a patch.
[[nodiscard]] Result<std::int64_t> feature_count(const FeatureRecipe& recipe, const InputShape& shape);

}  // namespace unlearn::learning
