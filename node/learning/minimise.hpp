#pragma once

#include <algorithm>
#include <numbers>
#include <utility>

namespace unlearn::learning {

/// Returns the place between `lowest` and `highest` where `cost` is least, to within `precision`. Takes the
/// best point of a coarse grid, then searches between its neighbours by golden section. Calls `cost` about 30
/// times.
template <typename Cost>
[[nodiscard]] double minimise(double lowest, double highest, double precision, const Cost& cost) {
    constexpr int kCoarseSteps = 8;
    const double step = (highest - lowest) / kCoarseSteps;
    double best = lowest;
    double best_cost = cost(best);
    for (int i = 1; i <= kCoarseSteps; ++i) {
        const double place = lowest + i * step;
        if (const double here = cost(place); here < best_cost) {
            best = place;
            best_cost = here;
        }
    }
    const double shrink = 1.0 / std::numbers::phi;
    double low = std::max(lowest, best - step);
    double high = std::min(highest, best + step);
    double left = high - shrink * (high - low);
    double right = low + shrink * (high - low);
    double left_cost = cost(left);
    double right_cost = cost(right);
    while (high - low > precision) {
        if (left_cost < right_cost) {
            high = std::exchange(right, left);
            right_cost = left_cost;
            left = high - shrink * (high - low);
            left_cost = cost(left);
        } else {
            low = std::exchange(left, right);
            left_cost = right_cost;
            right = low + shrink * (high - low);
            right_cost = cost(right);
        }
    }
    return (low + high) / 2.0;
}

}  // namespace unlearn::learning
