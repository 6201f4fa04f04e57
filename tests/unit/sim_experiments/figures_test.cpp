#include "sim/report/figures.hpp"

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "sample.hpp"

using namespace unlearn::sim::report;
using namespace unlearn::sim::report::test;

namespace {

Label word(const char* text) {
    return std::string(text);
}

}  // namespace

TEST_CASE("a plot shows means over seeds, with intervals, in per cent") {
    const PlotData data = gather(sample_plot(), sample_rows());
    REQUIRE(data.series.size() == 2);
    CHECK(data.series[0].name == word("hdus"));
    CHECK(data.series[1].name == word("alone"));
    CHECK(data.xs == std::vector<Label>{1.0, 3.0, 9.0});
    REQUIRE(data.series[0].points.size() == 3);
    const PlotPoint& point = data.series[0].points[1];
    CHECK(point.x == Label(3.0));
    CHECK(point.y.mean == doctest::Approx(85.0));
    CHECK(point.y.repeats == 3);
    // Seed averages 84, 85, 86: standard deviation 1, t(.975; 2) = 4.302653.
    CHECK(*point.y.half_width == doctest::Approx(4.302653 / 1.7320508));
    CHECK(describe_repeats(data) == "Means and 95 % confidence intervals over 3 seeds.");
}

TEST_CASE("a selection takes rows that have one of the values of every label") {
    Selection selection{"accuracy", {{"temperature", {1.0, 3.0}}, {"method", {word("hdus")}}}};
    CHECK(estimate(selection, sample_rows())->mean == doctest::Approx(0.85));
    Row row{"accuracy", 1.0, {{"temperature", 1.0}, {"method", word("hdus")}}};
    CHECK(matches(selection, row));
    row.labels["temperature"] = 9.0;
    CHECK_FALSE(matches(selection, row));
    row.labels.erase("temperature");
    CHECK_FALSE(matches(selection, row));
    CHECK_FALSE(matches({"loss", {}}, row));
    selection.metric = "loss";
    CHECK_FALSE(estimate(selection, sample_rows()));
}

TEST_CASE("values that the selection names are in its order") {
    PlotSpec plot = sample_plot();
    plot.rows.where["method"] = {word("nobody"), word("alone"), word("hdus")};
    const PlotData data = gather(plot, sample_rows());
    REQUIRE(data.series.size() == 2);
    CHECK(data.series[0].name == word("alone"));
}

TEST_CASE("rows without the label of an axis are no part of a plot") {
    auto rows = sample_rows();
    rows.push_back({"accuracy", 1000.0, {{"method", word("hdus")}, {"seed", 1.0}}});
    rows.push_back({"accuracy", 1000.0, {{"temperature", 1.0}, {"seed", 1.0}}});
    const PlotData data = gather(sample_plot(), rows);
    REQUIRE(data.series.size() == 2);
    CHECK(data.series[0].points[0].y.mean == doctest::Approx(85.0));
    PlotSpec other = sample_plot();
    other.rows.metric = "loss";
    CHECK(gather(other, rows).empty());
}

TEST_CASE("a point where nothing was measured is not there") {
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    PlotSpec plot = sample_plot();
    plot.series.reset();
    const PlotData data = gather(
        plot, {{"accuracy", nothing, {{"temperature", 1.0}}}, {"accuracy", 0.5, {{"temperature", 2.0}}}});
    REQUIRE(data.series.size() == 1);
    CHECK_FALSE(data.series[0].name);
    CHECK(data.xs == std::vector<Label>{2.0});
    CHECK(describe_repeats(data) == "One seed: no confidence intervals.");
}

TEST_CASE("a table has a line for each combination that occurs") {
    auto rows = sample_rows();
    rows.push_back({"accuracy", 0.9, {{"temperature", 3.0}, {"seed", 1.0}}});
    TableSpec table = sample_table();
    const TableData data = gather(table, rows);
    CHECK(data.columns == std::vector<Label>{1.0, 3.0, 9.0});
    REQUIRE(data.lines.size() == 3);
    CHECK_FALSE(data.lines[0].heads[0]);
    CHECK_FALSE(data.lines[0].cells[0]);
    CHECK(data.lines[0].cells[1]->mean == doctest::Approx(90.0));
    CHECK(data.lines[1].heads[0] == word("hdus"));
    CHECK(data.lines[2].cells[2]->mean == doctest::Approx(80.0));
    CHECK(describe_repeats(data) ==
          "Means and 95 % confidence intervals over 1 to 3 seeds; none where there is one seed.");
}

TEST_CASE("a table of two labels is ordered by the first, then the second") {
    TableSpec table = sample_table();
    table.down = {"method", "temperature"};
    table.across = "";
    const TableData data = gather(table, sample_rows());
    REQUIRE(data.lines.size() == 6);
    CHECK(data.columns.size() == 1);
    CHECK(data.lines[0].heads == std::vector<std::optional<Label>>{word("hdus"), 1.0});
    CHECK(data.lines[2].heads == std::vector<std::optional<Label>>{word("hdus"), 9.0});
    CHECK(data.lines[3].heads == std::vector<std::optional<Label>>{word("alone"), 1.0});
}
