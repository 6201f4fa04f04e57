#pragma once

#include "node/learning/data/result.hpp"
#include "node/learning/dataset.hpp"
#include "node/learning/optimisation.hpp"
#include "node/learning/training.hpp"

namespace unlearn::learning {

/// Fits a main model `ridge`: a linear model of public features by ridge regression on the classes, 1 for the
/// right one and 0 for the others. The strength of the regularisation is the one, of a few, that makes the
/// validation examples likeliest. The coefficients are multiplied by a number chosen in the same way, because
/// least squares alone says nothing about how sure a model is. Draws no random numbers.
[[nodiscard]] Result<MainModel> fit_ridge(const ValidationSplit& own_data, CancelFlag cancel = nullptr);

/// Fits a linear model of public features to another model's logits [N, classes] on the same examples, by
/// ridge regression, and returns its tensors.
[[nodiscard]] Result<std::vector<NamedTensor>> fit_head_to(const at::Tensor& logits, const Inputs& examples,
                                                           CancelFlag cancel = nullptr);

}  // namespace unlearn::learning
