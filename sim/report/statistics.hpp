#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "sim/report/row.hpp"

namespace unlearn::sim::report {

/// A mean over repeats, and its confidence interval.
struct Estimate {
    double mean = 0.0;
    /// Half the width of the 95 % confidence interval, which is from mean - half_width to mean + half_width.
    /// Absent with one repeat, which says nothing about the spread.
    std::optional<double> half_width;
    std::size_t repeats = 0;  ///< at least one
};

/// Returns the mean and the 95 % confidence interval of independent repeats, from Student's t with n - 1
/// degrees of freedom. The interval is right even for few repeats if what they measure is about normal.
/// Returns nothing without repeats.
[[nodiscard]] std::optional<Estimate> estimate(std::span<const double> repeats);

/// Returns the value at the quantile `part` (0 to 1) by the nearest-rank method. `sorted` must be ascending
/// and not empty.
[[nodiscard]] double nearest_rank(std::span<const double> sorted, double part);

/// Averages rows of one experiment that differ in their seed and in other labels (nodes, times). Repeats are
/// seeds, not nodes: the nodes of one run share data and graph, so an interval over them would be too narrow.
/// Rows are therefore averaged within each value of the label "seed" first. Rows without that label count as
/// one seed.
class SeedAverages {
  public:
    /// Adds a row. A value that is not finite was not measured, and is skipped.
    void add(const Row& row);

    /// Returns the average of each seed that has one.
    [[nodiscard]] std::map<Label, double> averages() const;

    /// Returns the estimate over the seeds, or nothing when no value was added.
    [[nodiscard]] std::optional<Estimate> over_seeds() const;

  private:
    struct Sum {
        double total = 0.0;
        std::size_t count = 0;
    };
    std::map<Label, Sum> sums_;
};

/// Returns how much larger `a` is than `b`: the estimate of the differences a - b, seed by seed, over the
/// seeds that both have. Where a seed makes both better or both worse, its interval is far narrower than the
/// two separate ones. Returns nothing without common seeds.
[[nodiscard]] std::optional<Estimate> paired_difference(const SeedAverages& a, const SeedAverages& b);

}  // namespace unlearn::sim::report
