#pragma once

#include <functional>
#include <string>

#include <ATen/core/Tensor.h>

#include "node/learning/dataset.hpp"

namespace unlearn::sim::baselines {

/// How well a participant does, from its logits [T, classes] on `Evaluation::test`. Called by several threads
/// at once.
using Score = std::function<double(const std::string& name, const at::Tensor& logits)>;

/// On what, and how, models are scored.
struct Evaluation {
    learning::Dataset test;
    Score score;  ///< none: learning::full_accuracy on `test`

    [[nodiscard]] double operator()(const std::string& name, const at::Tensor& logits) const;
};

/// How far two tables of probabilities [T, classes] for the same examples are apart, for example those of a
/// network that forgot and of one that was trained again without the leaver.
struct Distance {
    double total_variation = 0.0;  ///< mean over the examples of half the sum of absolute differences, 0 to 1
    double disagreement = 0.0;     ///< the share of examples that the two give different labels, 0 to 1
};

/// Both of the same shape, with at least one row.
[[nodiscard]] Distance distance_between(const at::Tensor& probabilities, const at::Tensor& others);

}  // namespace unlearn::sim::baselines
