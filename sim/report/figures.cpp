#include "sim/report/figures.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <spdlog/fmt/fmt.h>

namespace unlearn::sim::report {
namespace {

using Rows = std::vector<const Row*>;

Rows select(const Selection& selection, const std::vector<Row>& rows) {
    Rows selected;
    for (const Row& row : rows)
        if (matches(selection, row)) selected.push_back(&row);
    return selected;
}

std::optional<Label> label_of(const Row& row, const std::string& name) {
    const auto label = row.labels.find(name);
    if (label == row.labels.end()) return std::nullopt;
    return label->second;
}

/// Returns the values that a label has in these rows, in the order in which figures show them.
std::vector<Label> values_of(const std::string& name, const Selection& selection, const Rows& rows) {
    std::vector<Label> values;
    std::map<Label, bool> seen;
    for (const Row* row : rows)
        if (const auto label = label_of(*row, name); label && !std::exchange(seen[*label], true))
            values.push_back(*label);

    if (const auto named = selection.where.find(name); named != selection.where.end()) {
        const auto place = [&](const Label& value) {
            return std::find(named->second.begin(), named->second.end(), value) - named->second.begin();
        };
        std::stable_sort(values.begin(), values.end(),
                         [&](const Label& a, const Label& b) { return place(a) < place(b); });
        return values;
    }
    const auto is_number = [](const Label& value) { return std::holds_alternative<double>(value); };
    // Where a label has numbers and words, the numbers come first, by size.
    const auto words = std::stable_partition(values.begin(), values.end(), is_number);
    std::sort(values.begin(), words);
    return values;
}

std::optional<Estimate> scaled(const SeedAverages& averages, double scale) {
    auto result = averages.over_seeds();
    if (!result) return std::nullopt;
    result->mean *= scale;
    if (result->half_width) *result->half_width *= std::abs(scale);
    return result;
}

/// For each label of a line, the position of its value in the order of values, counted from 1. An absent
/// label has position 0, so that its line comes first.
using Places = std::vector<std::size_t>;

Places places_of(const Row& row, const std::vector<std::string>& names,
                 const std::vector<std::vector<Label>>& orders) {
    Places places;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto label = label_of(row, names[i]);
        const auto found = label ? std::find(orders[i].begin(), orders[i].end(), *label) : orders[i].end();
        places.push_back(label ? static_cast<std::size_t>(found - orders[i].begin()) + 1 : 0);
    }
    return places;
}

std::vector<std::optional<Label>> heads_at(const Places& places,
                                           const std::vector<std::vector<Label>>& orders) {
    std::vector<std::optional<Label>> heads;
    for (std::size_t i = 0; i < places.size(); ++i)
        heads.push_back(places[i] == 0 ? std::nullopt : std::optional(orders[i][places[i] - 1]));
    return heads;
}

class RepeatsCounter {
  public:
    void add(const Estimate& estimate) {
        fewest_ = most_ == 0 ? estimate.repeats : std::min(fewest_, estimate.repeats);
        most_ = std::max(most_, estimate.repeats);
    }

    [[nodiscard]] std::string sentence() const {
        if (most_ == 0) return "";
        if (most_ == 1) return "One seed: no confidence intervals.";
        if (fewest_ == most_) return fmt::format("Means and 95 % confidence intervals over {} seeds.", most_);
        return fmt::format(
            "Means and 95 % confidence intervals over {} to {} seeds; none where there is one seed.", fewest_,
            most_);
    }

  private:
    std::size_t fewest_ = 0;
    std::size_t most_ = 0;
};

}  // namespace

bool matches(const Selection& selection, const Row& row) {
    if (row.metric != selection.metric) return false;
    return std::all_of(selection.where.begin(), selection.where.end(), [&](const auto& condition) {
        const auto& [name, allowed] = condition;
        const auto label = row.labels.find(name);
        return label != row.labels.end() &&
               std::find(allowed.begin(), allowed.end(), label->second) != allowed.end();
    });
}

std::optional<Estimate> estimate(const Selection& selection, const std::vector<Row>& rows) {
    SeedAverages averages;
    for (const Row* row : select(selection, rows))
        averages.add(*row);
    return averages.over_seeds();
}

PlotData gather(const PlotSpec& plot, const std::vector<Row>& rows) {
    const Rows selected = select(plot.rows, rows);
    std::map<std::optional<Label>, std::map<Label, SeedAverages>> groups;
    for (const Row* row : selected) {
        const auto x = label_of(*row, plot.x);
        const auto name = plot.series ? label_of(*row, *plot.series) : std::nullopt;
        if (!x || (plot.series && !name)) continue;
        groups[name][*x].add(*row);
    }

    PlotData data;
    std::vector<std::optional<Label>> names{std::nullopt};
    if (plot.series) {
        const auto values = values_of(*plot.series, plot.rows, selected);
        names.assign(values.begin(), values.end());
    }
    const auto xs = values_of(plot.x, plot.rows, selected);
    std::map<Label, bool> used;
    for (const auto& name : names) {
        PlotSeries series{name, {}};
        for (const Label& x : xs) {
            const auto y = scaled(groups[name][x], plot.scale);
            if (!y) continue;
            series.points.push_back({x, *y});
            used[x] = true;
        }
        if (!series.points.empty()) data.series.push_back(std::move(series));
    }
    for (const Label& x : xs)
        if (used[x]) data.xs.push_back(x);
    return data;
}

TableData gather(const TableSpec& table, const std::vector<Row>& rows) {
    const Rows selected = select(table.rows, rows);
    std::vector<std::vector<Label>> orders;
    for (const auto& name : table.down)
        orders.push_back(values_of(name, table.rows, selected));

    std::map<Places, std::map<Label, SeedAverages>> groups;
    for (const Row* row : selected) {
        const auto column =
            table.across.empty() ? std::optional<Label>(std::string()) : label_of(*row, table.across);
        if (column) groups[places_of(*row, table.down, orders)][*column].add(*row);
    }

    TableData data;
    data.columns = table.across.empty() ? std::vector<Label>{std::string()}
                                        : values_of(table.across, table.rows, selected);
    for (auto& [places, columns] : groups) {
        TableLine line{heads_at(places, orders), {}};
        for (const Label& column : data.columns)
            line.cells.push_back(scaled(columns[column], table.scale));
        data.lines.push_back(std::move(line));
    }
    return data;
}

std::string describe_repeats(const PlotData& data) {
    RepeatsCounter counter;
    for (const auto& series : data.series)
        for (const auto& point : series.points)
            counter.add(point.y);
    return counter.sentence();
}

std::string describe_repeats(const TableData& data) {
    RepeatsCounter counter;
    for (const auto& line : data.lines)
        for (const auto& cell : line.cells)
            if (cell) counter.add(*cell);
    return counter.sentence();
}

}  // namespace unlearn::sim::report
