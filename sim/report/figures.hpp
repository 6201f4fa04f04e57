#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/report/figure.hpp"
#include "sim/report/row.hpp"
#include "sim/report/statistics.hpp"

namespace unlearn::sim::report {

// From rows to the means that a figure shows. Pure functions; values and intervals come out multiplied by the
// figure's `scale`. Values of a label stand in the order in which the selection names them; else numbers by
// size and words as they first occur in the rows, which is the order of the experiment file.

/// Whether the row has the metric, and for each label of `where` one of its values.
[[nodiscard]] bool matches(const Selection& selection, const Row& row);

/// The estimate over all rows that match. Nothing when none does.
[[nodiscard]] std::optional<Estimate> estimate(const Selection& selection, const std::vector<Row>& rows);

struct PlotPoint {
    Label x;
    Estimate y;
};

struct PlotSeries {
    std::optional<Label> name;  ///< absent where the plot tells no series apart
    std::vector<PlotPoint> points;
};

struct PlotData {
    std::vector<Label> xs;  ///< every x that occurs, in order; points of a series are in the same order
    std::vector<PlotSeries> series;

    [[nodiscard]] bool empty() const { return series.empty(); }
};

/// What a plot shows. A row without the label of the x axis or of the series is no part of it.
[[nodiscard]] PlotData gather(const PlotSpec& plot, const std::vector<Row>& rows);

struct TableLine {
    std::vector<std::optional<Label>> heads;  ///< one for each label of `down`; absent where the rows lack it
    std::vector<std::optional<Estimate>> cells;  ///< one for each column; absent where nothing was measured
};

struct TableData {
    std::vector<Label> columns;  ///< values of `across`; one empty word where the table has no `across`
    std::vector<TableLine> lines;

    [[nodiscard]] bool empty() const { return lines.empty(); }
};

/// What a table shows. A row without the label of `across` is no part of it; one without a label of `down`
/// is: a baseline need not have every swept key.
[[nodiscard]] TableData gather(const TableSpec& table, const std::vector<Row>& rows);

/// Says over how many seeds the means are and whether they have intervals: a sentence for below a figure.
[[nodiscard]] std::string describe_repeats(const PlotData& data);
[[nodiscard]] std::string describe_repeats(const TableData& data);

}  // namespace unlearn::sim::report
