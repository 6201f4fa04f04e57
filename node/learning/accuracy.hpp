#pragma once

#include <span>

#include <ATen/core/Tensor.h>

#include "node/learning/dataset.hpp"

namespace unlearn::learning {

// The class with the highest score in each row of `scores` [N, classes], row-major; the first of equal ones.
[[nodiscard]] std::vector<std::int64_t> likeliest_classes(std::span<const float> scores, std::size_t classes);

// The share of examples whose most probable class is their label. `scores` [N, classes]: probabilities or
// logits.
[[nodiscard]] double full_accuracy(const at::Tensor& scores, const Dataset& test);

// The same in the node's own world: the accuracy within each class, weighted by the node's distribution of
// classes [classes]. Classes that the test set lacks are left out of the weights.
[[nodiscard]] double own_accuracy(const at::Tensor& scores, const Dataset& test,
                                  std::span<const double> own_distribution);

}  // namespace unlearn::learning
