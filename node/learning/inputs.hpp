#pragma once

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

#include "node/learning/data/table.hpp"
#include "node/learning/features/feature_map.hpp"

namespace unlearn::learning {

/// Rows as models see them: the values themselves and, in a network with a feature map, their public
/// features. Copies share memory.
class Inputs {
  public:
    /// Rows [N, channels, height, width] float32 without features. Not explicit, because to models that see
    /// no features a tensor of rows is all there is.
    Inputs(at::Tensor rows);  // NOLINT(google-explicit-constructor)
    /// Rows with features [N, features] int16, in steps of 1 / kFeatureSteps.
    Inputs(at::Tensor rows, at::Tensor features);

    /// The values, [N, channels, height, width] float32.
    [[nodiscard]] const at::Tensor& rows() const { return rows_; }
    /// The features in steps, [N, features] int16. Undefined in a network without a feature map.
    [[nodiscard]] const at::Tensor& feature_steps() const { return feature_steps_; }
    /// Returns the features [N, features] as float32, in standard deviations of the reference set. There must
    /// be features.
    [[nodiscard]] at::Tensor features() const;

    [[nodiscard]] std::int64_t size() const { return rows_.size(0); }
    [[nodiscard]] InputShape shape() const;
    /// Consecutive rows; shares memory.
    [[nodiscard]] Inputs narrow(std::int64_t first, std::int64_t count) const;
    /// The rows with these numbers ([n] int64), copied.
    [[nodiscard]] Inputs index_select(const at::Tensor& numbers) const;
    [[nodiscard]] Inputs clone() const;

  private:
    at::Tensor rows_;
    at::Tensor feature_steps_;
};

/// Adds the features of rows [N, channels, height, width] float32 if there is a map.
[[nodiscard]] Inputs with_features(at::Tensor rows, const FeatureMap* map);

/// Copies consecutive examples into inputs of this shape, with their features if there is a map.
[[nodiscard]] Inputs inputs_of(std::span<const float> values, const InputShape& shape,
                               const FeatureMap* map = nullptr);

}  // namespace unlearn::learning
