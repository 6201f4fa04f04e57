#include "sim/report/experiment_report.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "sample.hpp"

using namespace unlearn::sim::report;
using namespace unlearn::sim::report::test;

namespace {

ExperimentReport sample_report() {
    ExperimentReport report;
    report.name = "temperatures";
    report.description = "How warm should\na seed be?\n\nSecond paragraph.";
    PlotSpec bars = sample_plot();
    bars.kind = PlotSpec::Kind::bars;
    report.figures = {sample_plot(), sample_table(), bars};
    report.swept = {"temperature", "seed"};
    report.runs = 9;
    report.seconds = 75.0;
    report.machine = {{"cpu", "Example CPU 3000"}, {"cores", "2"}};
    report.text = "[sweep]\nseed = [1, 2, 3]  # <why>\n";
    return report;
}

std::filesystem::path fresh_folder() {
    const auto folder =
        std::filesystem::temp_directory_path() / ("unlearn-report-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    return folder;
}

}  // namespace

TEST_CASE("the page says what was run and shows the figures in their order") {
    const std::string page = render_experiment(sample_report(), sample_rows());
    CHECK(contains(page, "<p>How warm should a seed be?</p>"));
    CHECK(contains(page, "<p>Second paragraph.</p>"));
    CHECK(contains(page, "<b>9</b><span>runs</span>"));
    CHECK(contains(page, "<b>3</b><span>seeds (repeats) of each</span>"));
    CHECK(contains(page, "<b>36</b><span>measured values</span>"));
    CHECK(contains(page, "75.0 s"));
    CHECK(contains(page, "<th scope=\"row\">temperature</th><td>1, 3 and 9</td>"));
    CHECK(contains(page, "Example CPU 3000"));
    CHECK(contains(page, "<td class=\"number\">85.0 <span class=\"half\">\u00b1 2.5</span></td>"));
    CHECK(contains(page, "over 3 seeds"));
    const auto plot = page.find("<h2>Accuracy by temperature</h2>");
    const auto table = page.find("<h2>Accuracy, %</h2>");
    REQUIRE(plot != std::string::npos);
    REQUIRE(table != std::string::npos);
    CHECK(plot < table);
    CHECK(page.find("<h2>Accuracy by temperature</h2>", table) != std::string::npos);
    CHECK(contains(page, "Higher is better."));
    CHECK(contains(page,
                   "<details><summary>The experiment file</summary>\n<pre>[sweep]\nseed = [1, 2, 3]  # "
                   "&lt;why&gt;\n</pre>"));
}

TEST_CASE("the page is the same for the same rows") {
    CHECK(render_experiment(sample_report(), sample_rows()) ==
          render_experiment(sample_report(), sample_rows()));
}

TEST_CASE("the page needs nothing from elsewhere, and every id is unique") {
    const std::string page = render_experiment(sample_report(), sample_rows());
    for (const auto* foreign : {"http:", "https:", "//cdn", "<script", "<link", "<img", "@import", "src="})
        CHECK_MESSAGE(!contains(page, foreign), foreign);
    std::set<std::string> ids;
    for (const std::string quote : {"'", "\""}) {
        const std::string begin = " id=" + quote;
        for (auto at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
            const auto from = at + begin.size();
            const std::string id = page.substr(from, page.find(quote, from) - from);
            CHECK_MESSAGE(ids.insert(id).second, id);
        }
    }
    CHECK(ids.size() > 10);
}

TEST_CASE("every text is escaped") {
    const std::string odd = "<script>alert(\"1\")</script>";
    ExperimentReport report = sample_report();
    report.name = report.description = report.text = odd;
    report.swept = {"topology"};
    report.machine = {{odd, odd}};
    report.failures = {odd};
    PlotSpec plot = sample_plot();
    plot.title = plot.note = plot.x_title = plot.y_title = odd;
    PlotSpec nothing = plot;
    nothing.rows.metric = odd;
    TableSpec table = sample_table();
    table.title = table.note = table.across = odd;
    table.down = {"topology"};
    TableSpec empty = table;
    empty.rows.metric = odd;
    report.figures = {plot, nothing, table, empty};
    auto rows = sample_rows();
    rows.push_back({"accuracy", 0.5, {{"topology", odd}, {odd, odd}, {"method", odd}, {"temperature", 1.0}}});
    const std::string page = render_experiment(report, rows);
    CHECK_FALSE(contains(page, "<script"));
    CHECK(contains(page, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"));
}

TEST_CASE("large numbers in tables have commas, and small ones no sign of zero") {
    ExperimentReport report = sample_report();
    TableSpec table;
    table.rows.metric = "bytes";
    table.down = {"kind"};
    table.decimals = 0;
    report.figures = {table};
    const std::string page = render_experiment(report, {{"bytes", 1234567.4, {{"kind", std::string("a")}}},
                                                        {"bytes", -0.2, {{"kind", std::string("b")}}},
                                                        {"bytes", -123456, {{"kind", std::string("c")}}},
                                                        {"bytes", 1234, {{"kind", std::string("d")}}}});
    CHECK(contains(page, "<td class=\"number\">1,234,567</td>"));
    CHECK(contains(page, "<td class=\"number\">0</td>"));
    CHECK(contains(page, "<td class=\"number\">-123,456</td>"));
    CHECK(contains(page, "<td class=\"number\">1234</td>"));
    CHECK(contains(page, "One seed: no confidence intervals."));
}

TEST_CASE("what failed is said at the top") {
    ExperimentReport report = sample_report();
    CHECK_FALSE(contains(render_experiment(report, sample_rows()), "Failed, and missing"));
    report.failures = {"run 3, seed 2: out of memory"};
    const std::string page = render_experiment(report, sample_rows());
    CHECK(contains(page, "Failed, and missing below: 1 part"));
    CHECK(contains(page, "run 3, seed 2: out of memory"));
}

TEST_CASE("plots are named after their titles, each in its own way") {
    PlotSpec plot = sample_plot();
    plot.title = "Time to forget, by topology (p99)";
    PlotSpec unnamed = sample_plot();
    unnamed.title = "\u00e9/../";
    CHECK(plot_names({plot, sample_table(), plot, unnamed}) ==
          std::vector<std::string>{"time-to-forget-by-topology-p99", "time-to-forget-by-topology-p99-2",
                                   "plot"});
}

TEST_CASE("the report and its plots are files") {
    const auto folder = fresh_folder();
    std::filesystem::create_directories(folder / "plots");
    std::ofstream(folder / "plots" / "of-an-earlier-report.svg") << "old";
    std::ofstream(folder / "plots" / "notes.txt") << "mine";
    REQUIRE(write_experiment_report(folder, sample_report(), sample_rows()));
    CHECK(std::filesystem::exists(folder / "report.html"));
    CHECK_FALSE(std::filesystem::exists(folder / "plots" / "of-an-earlier-report.svg"));
    CHECK(std::filesystem::exists(folder / "plots" / "notes.txt"));
    for (const auto* name : {"accuracy-by-temperature.svg", "accuracy-by-temperature-2.svg"}) {
        std::ifstream in(folder / "plots" / name);
        const std::string svg{std::istreambuf_iterator<char>(in), {}};
        CHECK(svg.rfind("<?xml", 0) == 0);
        CHECK(contains(svg, "</svg>"));
    }
    std::filesystem::remove_all(folder);
}

TEST_CASE("a plot that cannot be drawn costs only itself") {
    const auto folder = fresh_folder();
    ExperimentReport report = sample_report();
    std::get<PlotSpec>(report.figures[0]).rows.metric = "loss";
    const auto written = write_experiment_report(folder, report, sample_rows());
    REQUIRE_FALSE(written);
    CHECK(contains(written.error().message,
                   "accuracy-by-temperature.svg: no measured row has metric \"loss\""));
    std::ifstream in(folder / "report.html");
    const std::string page{std::istreambuf_iterator<char>(in), {}};
    CHECK(contains(page, "No plot: no measured row has metric &quot;loss&quot;"));
    CHECK(contains(page, "<svg class=\"drawn\""));
    CHECK(std::filesystem::exists(folder / "plots" / "accuracy-by-temperature-2.svg"));
    std::filesystem::remove_all(folder);
}
