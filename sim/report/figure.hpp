#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/report/row.hpp"

namespace unlearn::sim::report {

/// Selects the rows of a figure: those of one metric whose labels have one of the given values.
struct Selection {
    std::string metric;
    std::map<std::string, std::vector<Label>> where;
};

/// A plot of means with 95 % confidence intervals over the repeats. A mean is over all rows that the plot
/// does not distinguish: rows are averaged within each value of "seed" first, then over the seeds.
struct PlotSpec {
    enum class Kind { lines, points, bars };

    std::string title;
    std::string note;  ///< a sentence below the plot
    Kind kind = Kind::lines;
    Selection rows;
    std::string x;                      ///< the label of the x axis: numbers (lines, points) or words (bars)
    std::optional<std::string> series;  ///< the label with one line, or one bar of each group, per value
    std::string x_title;
    std::string y_title;
    double scale = 1.0;  ///< factor for the values: 100 for percent
    bool log_x = false;
    bool log_y = false;
};

/// A table of the same means. Each cell shows "mean +- half width of the interval".
struct TableSpec {
    std::string title;
    std::string note;
    Selection rows;
    std::vector<std::string> down;  ///< labels with one row for each combination of their values that occurs
    std::string across;             ///< the label with one column for each of its values; may be empty
    double scale = 1.0;
    int decimals = 1;
};

}  // namespace unlearn::sim::report
