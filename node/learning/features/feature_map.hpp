#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "node/learning/data/result.hpp"
#include "node/learning/data/table.hpp"
#include "node/learning/features/fourier_features.hpp"
#include "node/learning/features/patch_features.hpp"
#include "node/learning/features/recipe.hpp"

namespace unlearn::learning {

/// A feature is a multiple of 1 / kFeatureSteps, in standard deviations of the reference set.
constexpr float kFeatureSteps = 64.0F;
/// The largest magnitude of a feature, in such steps.
constexpr std::int16_t kMostFeatureSteps = 511;

/// Turns rows into features that are the same at all nodes of a network. It is a function of the public
/// reference set and a recipe alone, learned without labels, so nothing in it comes from private data or from
/// a peer. Every node computes it for itself: the bits of the map, and the features of a row, are the same on
/// every machine, for every batch size and number of threads. Immutable; any thread may apply it.
class FeatureMap {
  public:
    /// Learns a map from the reference set, given as models see it: pixels scaled to [0, 1], columns of
    /// tables with mean 0 and deviation 1. Takes seconds. Fails if the recipe does not fit such rows, or if
    /// there are too few rows or all images are flat.
    [[nodiscard]] static Result<FeatureMap> learn(const FeatureRecipe& recipe, const LabelledData& reference);
    /// Reads what to_bytes() returned. Fails unless the bytes are exactly such a map.
    [[nodiscard]] static Result<FeatureMap> from_bytes(const FeatureRecipe& recipe, const InputShape& shape,
                                                       std::span<const std::uint8_t> bytes);

    [[nodiscard]] const FeatureRecipe& recipe() const { return recipe_; }
    [[nodiscard]] const InputShape& shape() const { return shape_; }
    /// The number of features of a row.
    [[nodiscard]] std::size_t size() const { return mean_.size(); }
    /// Returns the map as safetensors. Equal maps have equal bytes.
    [[nodiscard]] std::vector<std::uint8_t> to_bytes() const;

    /// Computes the features of rows [N, shape] -> [N, size()] in steps of 1 / kFeatureSteps.
    void apply(std::span<const float> rows, std::span<std::int16_t> features) const;

  private:
    using Extractor = std::variant<PatchFeatures, FourierFeatures>;

    FeatureMap(const FeatureRecipe& recipe, const InputShape& shape, Extractor extractor);
    [[nodiscard]] std::size_t raw_size() const;
    void extract(const float* row, std::span<float> raw) const;
    void standardise_by(std::span<const float> rows);

    FeatureRecipe recipe_;
    InputShape shape_;
    Extractor extractor_;
    std::vector<float> mean_;    ///< of the raw features over the reference set
    std::vector<float> factor_;  ///< steps per unit; 0 for a feature that is constant there
};

}  // namespace unlearn::learning
