#pragma once

#include <string>
#include <vector>

namespace unlearn::sim::report {

/// The part of an axis that is drawn, and where it has numbers.
struct Axis {
    double least = 0.0;
    double most = 1.0;
    std::vector<double> ticks;  ///< within, ascending
};

/// An axis for values from `least` to `most` with a little room around them, which never reaches below zero
/// when the values do not. Ticks in steps of 1, 2 or 5; of whole numbers where the values are `whole`.
[[nodiscard]] Axis linear_axis(double least, double most, bool whole = false);

/// The same with a logarithmic scale: ticks at powers of ten, and at 2 and 5 between them where there are
/// few. Both ends must be above zero.
[[nodiscard]] Axis log_axis(double least, double most);

/// A number beside a tick: at most six digits, "25k", "1.5M"; never "1e+06".
[[nodiscard]] std::string tick_text(double value);

}  // namespace unlearn::sim::report
