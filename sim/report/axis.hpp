#pragma once

#include <string>
#include <vector>

namespace unlearn::sim::report {

/// The visible range of an axis, and its ticks.
struct Axis {
    double least = 0.0;
    double most = 1.0;
    std::vector<double> ticks;  ///< within the range, ascending
};

/// Returns a linear axis for values from `least` to `most` with a small margin at each end. The margin does
/// not reach below zero unless the values do. Ticks are in steps of 1, 2 or 5 times a power of ten, and only
/// at whole numbers if `whole`.
[[nodiscard]] Axis linear_axis(double least, double most, bool whole = false);

/// Returns a logarithmic axis with a small margin at each end. Ticks are at powers of ten; a short axis also
/// has ticks at 2 and 5 between them. Both ends must be above zero.
[[nodiscard]] Axis log_axis(double least, double most);

/// Returns the text beside a tick: at most six digits, "25k", "1.5M"; never "1e+06".
[[nodiscard]] std::string tick_text(double value);

}  // namespace unlearn::sim::report
