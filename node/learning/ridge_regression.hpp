#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

#include "node/learning/data/result.hpp"
#include "node/learning/inputs.hpp"
#include "node/learning/optimisation.hpp"

namespace unlearn::learning {

/// What ridge regression needs to know of some examples: sums over them of products of their features, and of
/// features and targets. A feature that is 1 for every example is appended, so that there is an intercept.
/// Zeroed when it dies, because it says a lot about the examples.
class RegressionSums {
  public:
    /// Sums over examples with features and with targets [N, targets] float64. The features are whole
    /// numbers, and so small that float64 holds the sums of their products exactly, in whatever order they
    /// are added. Fails only if cancelled. Takes about N features^2 operations.
    [[nodiscard]] static Result<RegressionSums> over(const Inputs& examples, const at::Tensor& targets,
                                                     CancelFlag cancel = nullptr);
    RegressionSums(RegressionSums&&) = default;
    RegressionSums& operator=(RegressionSums&&) = delete;
    RegressionSums(const RegressionSums&) = delete;
    RegressionSums& operator=(const RegressionSums&) = delete;
    ~RegressionSums();

    /// Returns the coefficients [features + 1, targets] float64 that minimise the sum of squared errors plus
    /// `strength`, which must be positive, times the sum of their own squares (Hoerl and Kennard, 1970).
    [[nodiscard]] at::Tensor solve(double strength) const;

  private:
    RegressionSums(at::Tensor products, at::Tensor answers);

    at::Tensor products_;  ///< [features + 1, features + 1] float64, in units of features, lower triangle
    at::Tensor answers_;   ///< [features + 1, targets] float64
};

}  // namespace unlearn::learning
