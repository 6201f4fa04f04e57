#pragma once

#include <array>
#include <string>
#include <vector>

namespace unlearn::sim::report {

// Draws plots as inline <svg> in the page's colours. The meaning of a mark shows in its shape, never in its
// colour alone.

/// The accuracies of one node, which are one row of the plot. NaN leaves a mark out.
struct AccuracyRow {
    std::string label;
    double main = 0;
    double before = 0;      ///< ensemble before the exit
    double after = 0;       ///< ensemble after the exit
    bool emphasis = false;  ///< a row of means
};

/// Draws one row for each node with three marks: main model alone (hollow square), ensemble before the exit
/// (hollow circle) and after it (filled diamond). The axis starts near the smallest value, which is fine for
/// marks but not for bars. Its numbers are per cent.
[[nodiscard]] std::string plot_accuracy(const std::string& title, const std::vector<AccuracyRow>& rows);

/// One bar of `plot_bars`.
struct Bar {
    std::string label;
    double value = 0;
    std::string text;  ///< the value as written beside the bar
};

/// Draws horizontal bars that start at zero.
[[nodiscard]] std::string plot_bars(const std::string& title, const std::vector<Bar>& bars);

/// Returns the marks of `plot_accuracy` with their meaning, as an HTML list.
[[nodiscard]] std::string accuracy_legend(bool with_exit);

}  // namespace unlearn::sim::report
