#pragma once

#include <array>
#include <string>
#include <vector>

namespace unlearn::sim::report {

// Plots as inline <svg> that take their colours from the page. What a mark means is told by its shape, never
// by colour alone.

/// Accuracies of one node: a row of the plot. NaN leaves a mark out.
struct AccuracyRow {
    std::string label;
    double main = 0;
    double before = 0;      ///< ensemble before the exit
    double after = 0;       ///< ensemble after the exit
    bool emphasis = false;  ///< a row of means
};

/// One row for each node, three marks in it: main model alone (hollow square), ensemble before (hollow
/// circle) and after the exit (filled diamond). The axis begins where the data do, which marks, unlike bars,
/// allow; its numbers are per cent.
[[nodiscard]] std::string plot_accuracy(const std::string& title, const std::vector<AccuracyRow>& rows);

/// A bar of the plot.
struct Bar {
    std::string label;
    double value = 0;
    std::string text;  ///< the value as it is written beside the bar
};

/// Horizontal bars from zero.
[[nodiscard]] std::string plot_bars(const std::string& title, const std::vector<Bar>& bars);

/// The three marks of `plot_accuracy` with their meaning, as an HTML list.
[[nodiscard]] std::string accuracy_legend(bool with_exit);

}  // namespace unlearn::sim::report
