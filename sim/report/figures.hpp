#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/report/figure.hpp"
#include "sim/report/row.hpp"
#include "sim/report/statistics.hpp"

namespace unlearn::sim::report {

// Computes the means that a figure shows from the rows. The functions are pure. Values and intervals are
// multiplied by the figure's `scale`. The values of a label are in the order in which the selection names
// them. Otherwise numbers come first, by size, then words in the order in which they occur in the rows, which
// is the order of the experiment file.

/// Returns whether the row has the metric and, for each label of `where`, one of its values.
[[nodiscard]] bool matches(const Selection& selection, const Row& row);

/// Returns the estimate over all rows that match, or nothing when none does.
[[nodiscard]] std::optional<Estimate> estimate(const Selection& selection, const std::vector<Row>& rows);

/// A mean at one x.
struct PlotPoint {
    Label x;
    Estimate y;
};

/// One line, or one bar of each group, of a plot.
struct PlotSeries {
    std::optional<Label> name;  ///< absent where the plot has no series
    std::vector<PlotPoint> points;
};

/// The data of a plot.
struct PlotData {
    std::vector<Label> xs;  ///< every x that occurs, in order; the points of each series keep this order
    std::vector<PlotSeries> series;

    [[nodiscard]] bool empty() const { return series.empty(); }
};

/// Computes what a plot shows. Rows without the label of the x axis or of the series are ignored.
[[nodiscard]] PlotData gather(const PlotSpec& plot, const std::vector<Row>& rows);

/// One row of a table.
struct TableLine {
    std::vector<std::optional<Label>> heads;  ///< one for each label of `down`; absent where the rows lack it
    std::vector<std::optional<Estimate>> cells;  ///< one for each column; absent where nothing was measured
};

/// The data of a table.
struct TableData {
    std::vector<Label> columns;  ///< values of `across`; one empty word if there is no `across`
    std::vector<TableLine> lines;

    [[nodiscard]] bool empty() const { return lines.empty(); }
};

/// Computes what a table shows. Rows without the label of `across` are ignored. Rows without a label of
/// `down` are kept, because a baseline need not have every swept key.
[[nodiscard]] TableData gather(const TableSpec& table, const std::vector<Row>& rows);

/// Returns a sentence to put below a figure: over how many seeds the means are, and whether they have
/// intervals.
[[nodiscard]] std::string describe_repeats(const PlotData& data);
/// Returns the same sentence for a table.
[[nodiscard]] std::string describe_repeats(const TableData& data);

}  // namespace unlearn::sim::report
