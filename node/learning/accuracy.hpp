#pragma once

#include <span>

#include <ATen/core/Tensor.h>

#include "node/learning/dataset.hpp"

namespace unlearn::learning {

/// Returns the class with the highest score in each row of `scores` ([N, classes], row-major). Of equal
/// scores the first class wins.
[[nodiscard]] std::vector<std::int64_t> likeliest_classes(std::span<const float> scores, std::size_t classes);

/// Returns the share of examples whose most probable class is their label. `scores` are probabilities or
/// logits, [N, classes].
[[nodiscard]] double full_accuracy(const at::Tensor& scores, const Dataset& test);

/// Returns the accuracy on data distributed like the node's own: the accuracy within each class, weighted by
/// the node's class distribution ([classes]). Classes that the test set lacks are left out of the weights.
[[nodiscard]] double own_accuracy(const at::Tensor& scores, const Dataset& test,
                                  std::span<const double> own_distribution);

}  // namespace unlearn::learning
