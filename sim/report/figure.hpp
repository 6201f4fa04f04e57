#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/report/row.hpp"

namespace unlearn::sim::report {

/// Which rows a figure is about: those of one metric whose labels have one of the values given.
struct Selection {
    std::string metric;
    std::map<std::string, std::vector<Label>> where;
};

/// A plot of means over everything that it does not tell apart, with 95 % confidence intervals over the
/// repeats (rows are first averaged within each value of "seed", then over seeds).
struct PlotSpec {
    enum class Kind { kLines, kPoints, kBars };

    std::string title;
    std::string note;  ///< a sentence below it
    Kind kind = Kind::kLines;
    Selection rows;
    std::string x;  ///< a label: numbers (lines, points) or words (bars)
    std::optional<std::string>
        series;  ///< a label: one line, or one bar of each group, for each of its values
    std::string x_title;
    std::string y_title;
    double scale = 1.0;  ///< of the values: 100 for percent
    bool log_x = false;
    bool log_y = false;
};

/// A table of the same means, "mean +- half width of the interval" in each cell.
struct TableSpec {
    std::string title;
    std::string note;
    Selection rows;
    std::vector<std::string> down;  ///< labels: a row for each combination of their values that occurs
    std::string across;             ///< a label: a column for each of its values
    double scale = 1.0;
    int decimals = 1;
};

}  // namespace unlearn::sim::report
