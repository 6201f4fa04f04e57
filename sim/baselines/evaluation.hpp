#pragma once

#include <functional>
#include <string>

#include <ATen/core/Tensor.h>

#include "node/learning/dataset.hpp"

namespace unlearn::sim::baselines {

/// Returns a participant's score from its logits [T, classes] on `Evaluation::test`. Several threads call it
/// at once.
using Score = std::function<double(const std::string& name, const at::Tensor& logits)>;

/// The test set on which models are scored, and how.
struct Evaluation {
    learning::Dataset test;
    Score score;  ///< if empty, learning::full_accuracy on `test`

    [[nodiscard]] double operator()(const std::string& name, const at::Tensor& logits) const;
};

/// The distance between two tables of probabilities [T, classes] for the same examples, for example those of
/// a network that forgot and of one that was trained again without the leaver.
struct Distance {
    double total_variation = 0.0;  ///< half the sum of absolute differences, mean over examples; 0 to 1
    double disagreement = 0.0;     ///< the share of examples with different labels; 0 to 1
};

/// Computes the distance. Both tables must have the same shape and at least one row.
[[nodiscard]] Distance distance_between(const at::Tensor& probabilities, const at::Tensor& others);

}  // namespace unlearn::sim::baselines
