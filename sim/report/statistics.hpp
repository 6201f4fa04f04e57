#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "sim/report/row.hpp"

namespace unlearn::sim::report {

/// A mean over repeats, and how sure one may be of it.
struct Estimate {
    double mean = 0.0;
    /// Of the 95 % confidence interval, mean - half_width to mean + half_width. Absent with one repeat, which
    /// says nothing about the others.
    std::optional<double> half_width;
    std::size_t repeats = 0;  ///< at least one
};

/// Mean and 95 % confidence interval of independent repeats, with Student's t of n - 1 degrees of freedom:
/// right where repeats are few, if what they measure is about normal. Nothing without repeats.
[[nodiscard]] std::optional<Estimate> estimate(std::span<const double> repeats);

/// The value at the quantile `part` (0 to 1) by the nearest-rank method. `sorted`: ascending, not empty.
[[nodiscard]] double nearest_rank(std::span<const double> sorted, double part);

/// Rows of one experiment that differ in their seed and in things to average over (nodes, times). Repeats are
/// seeds, and not nodes: nodes of one run share data and graph, so that an interval over them would be too
/// narrow. Rows are therefore first averaged within each value of label "seed". Rows without that label count
/// as one seed.
class SeedAverages {
  public:
    /// A value that is not finite was not measured, and is passed over.
    void add(const Row& row);

    /// The average of each seed that has one.
    [[nodiscard]] std::map<Label, double> averages() const;

    /// Over the seeds. Nothing when no value was added.
    [[nodiscard]] std::optional<Estimate> over_seeds() const;

  private:
    struct Sum {
        double total = 0.0;
        std::size_t count = 0;
    };
    std::map<Label, Sum> sums_;
};

/// How much larger `a` is than `b`: the estimate of the differences a - b, seed by seed, over the seeds that
/// both have. Far narrower than the two intervals apart where a seed makes both better or both worse. Nothing
/// without common seeds.
[[nodiscard]] std::optional<Estimate> paired_difference(const SeedAverages& a, const SeedAverages& b);

}  // namespace unlearn::sim::report
