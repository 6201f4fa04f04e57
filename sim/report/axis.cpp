#include "sim/report/axis.hpp"

#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>

namespace unlearn::sim::report {
namespace {

constexpr double kRoom = 0.04;      // margin at each end, as a fraction of the range
constexpr double kMostSteps = 8.0;  // more ticks than this crowd a plot
constexpr int kMostDecades = 8;

/// Returns the smallest number that is 1, 2 or 5 times a power of ten and not below `least`.
double round_step(double least) {
    const double power = std::pow(10.0, std::floor(std::log10(least)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= least * (1.0 - 1e-9)) return factor * power;
    return 10.0 * power;
}

}  // namespace

Axis linear_axis(double least, double most, bool whole) {
    // A single value needs a range, too.
    const double span = most > least ? most - least : std::max(std::abs(most) * 0.1, whole ? 1.0 : 1e-9);
    Axis axis{least - span * kRoom, most + span * kRoom, {}};
    if (least >= 0.0) axis.least = std::max(0.0, axis.least);
    double step = round_step((axis.most - axis.least) / kMostSteps);
    if (whole) step = std::max(1.0, step);
    for (double count = std::ceil(axis.least / step - 1e-9); count * step <= axis.most + step * 1e-9; ++count)
        axis.ticks.push_back(count * step + 0.0);  // never -0
    return axis;
}

Axis log_axis(double least, double most) {
    const double span = std::max(std::log10(most / least), 0.1);
    const double room = std::pow(10.0, span * kRoom);
    Axis axis{least / room, most * room, {}};
    const auto first = static_cast<int>(std::floor(std::log10(axis.least)));
    const auto last = static_cast<int>(std::ceil(std::log10(axis.most)));
    const int every = std::max(1, (last - first + kMostDecades - 1) / kMostDecades);
    const bool dense = span < 2.0;
    for (int exponent = first; exponent <= last; exponent += every) {
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double tick = factor * std::pow(10.0, exponent);
            if ((factor == 1.0 || dense) && tick >= axis.least && tick <= axis.most)
                axis.ticks.push_back(tick);
        }
    }
    return axis;
}

std::string tick_text(double value) {
    constexpr const char* kUnits[] = {"", "k", "M", "G", "T", "P"};
    std::size_t unit = 0;
    // Numbers below 10,000, such as years and sample counts, are not abbreviated.
    if (std::abs(value) >= 10'000.0) {
        while (std::abs(value) >= 1000.0 && unit + 1 < std::size(kUnits)) {
            value /= 1000.0;
            ++unit;
        }
    }
    return fmt::format("{:.6g}{}", value, kUnits[unit]);
}

}  // namespace unlearn::sim::report
