#include "node/learning/ridge_regression.hpp"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/product_turn.hpp"
#include "node/learning/wipe.hpp"

namespace unlearn::learning {
namespace {

/// Examples that are held as float64 at a time.
constexpr std::int64_t kRows = 1'024;
/// The side of a tile of products. Only tiles below the diagonal are computed.
constexpr std::int64_t kTile = 512;

// The features of some examples in steps, and a last one that is 1, [N, features + 1] float64.
at::Tensor with_intercept(const Inputs& examples) {
    const at::Tensor& steps = examples.feature_steps();
    auto rows = at::full({steps.size(0), steps.size(1) + 1}, static_cast<double>(kFeatureSteps), at::kDouble);
    rows.narrow(1, 0, steps.size(1)).copy_(steps);
    return rows;
}

// Adds the products of all pairs of columns to the tiles on and below the diagonal.
void add_products(const at::Tensor& rows, const at::Tensor& products) {
    const std::int64_t size = rows.size(1);
    for (std::int64_t down = 0; down < size; down += kTile) {
        const std::int64_t height = std::min(kTile, size - down);
        for (std::int64_t across = 0; across <= down; across += kTile) {
            const std::int64_t width = std::min(kTile, size - across);
            const ProductTurn turn;
            products.narrow(0, down, height)
                .narrow(1, across, width)
                .addmm_(rows.narrow(1, down, height).t(), rows.narrow(1, across, width));
        }
    }
}

}  // namespace

RegressionSums::RegressionSums(at::Tensor products, at::Tensor answers)
    : products_(std::move(products)), answers_(std::move(answers)) {}

RegressionSums::~RegressionSums() {
    wipe(products_);
    wipe(answers_);
}

Result<RegressionSums> RegressionSums::over(const Inputs& examples, const at::Tensor& targets,
                                            CancelFlag cancel) {
    UNLEARN_ASSERT(examples.size() == targets.size(0) && targets.scalar_type() == at::kDouble);
    const at::NoGradGuard no_gradients;
    const std::int64_t size = examples.feature_steps().size(1) + 1;
    RegressionSums sums(at::zeros({size, size}, at::kDouble),
                        at::zeros({size, targets.size(1)}, at::kDouble));
    for (std::int64_t first = 0; first < examples.size(); first += kRows) {
        if (cancel != nullptr && cancel->load()) return fail("training was cancelled");
        const std::int64_t count = std::min(kRows, examples.size() - first);
        const at::Tensor rows = with_intercept(examples.narrow(first, count));
        add_products(rows, sums.products_);
        const ProductTurn turn;
        sums.answers_.addmm_(rows.t(), targets.narrow(0, first, count));
        wipe(rows);
    }
    sums.products_.mul_(1.0 / (kFeatureSteps * kFeatureSteps));
    sums.answers_.mul_(1.0 / kFeatureSteps);
    return sums;
}

at::Tensor RegressionSums::solve(double strength) const {
    UNLEARN_ASSERT(strength > 0.0);
    const at::NoGradGuard no_gradients;
    const ProductTurn turn;
    auto system = products_.clone();
    system.diagonal().add_(strength);
    // LAPACK reads the lower triangle only.
    const auto factor = at::linalg_cholesky(system);
    wipe(system);
    auto coefficients = at::cholesky_solve(answers_, factor);
    wipe(factor);
    return coefficients;
}

}  // namespace unlearn::learning
