#include "sim/report/experiment_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "sim/report/experiment_style.hpp"
#include "sim/report/figures.hpp"
#include "sim/report/html.hpp"
#include "sim/report/plot.hpp"
#include "sim/report/text.hpp"
#include "sim/support/output_folder.hpp"

namespace unlearn::sim::report {
namespace {

using namespace html;

constexpr const char* kSeed = "seed";
constexpr const char* kNote = " class=\"note\"";
constexpr std::size_t kMostNamedValues = 16;
constexpr std::size_t kLongestName = 60;
constexpr std::size_t kMostColumnsLarge = 7;

/// The plots of a report, each drawn once: the SVG document, or the reason why there is none.
using DrawnPlots = std::vector<Result<std::string>>;

DrawnPlots draw_all(const ExperimentReport& report, const std::vector<Row>& rows) {
    DrawnPlots drawn;
    for (const auto& figure : report.figures)
        if (const auto* plot = std::get_if<PlotSpec>(&figure)) drawn.push_back(draw_plot(*plot, rows));
    return drawn;
}

// ---- The parts of the page, from top to bottom. ----

std::vector<std::string> values_in(const std::string& label, const std::vector<Row>& rows) {
    std::vector<std::string> words;
    std::set<double> numbers;
    std::set<std::string> seen;
    for (const Row& row : rows) {
        const auto found = row.labels.find(label);
        if (found == row.labels.end()) continue;
        if (const auto* value = std::get_if<double>(&found->second))
            numbers.insert(*value);
        else if (seen.insert(to_text(found->second)).second)
            words.push_back(to_text(found->second));
    }
    std::vector<std::string> values;
    for (const double value : numbers)
        values.push_back(to_text(value));
    values.insert(values.end(), words.begin(), words.end());
    return values;
}

std::string title_part(const ExperimentReport& report) {
    std::string header = "<header>\n<h1>Experiment: " + escape_html(report.name) + "</h1>\n";
    std::istringstream lines(report.description);
    std::string text;
    for (std::string line; std::getline(lines, line);) {
        if (line.find_first_not_of(" \t\r") != std::string::npos) {
            text += (text.empty() ? "" : " ") + line;
        } else if (!text.empty()) {
            header += paragraph(std::exchange(text, {}));
        }
    }
    if (!text.empty()) header += paragraph(text);
    return header + "</header>\n";
}

std::string tiles_part(const ExperimentReport& report, const std::vector<Row>& rows) {
    const auto tile_of = [](std::size_t count, const char* one, const char* many) {
        return tile(grouped(count), count == 1 ? one : many);
    };
    std::string tiles = tile_of(report.runs, "run", "runs");
    if (const auto seeds = values_in(kSeed, rows).size(); seeds > 0)
        tiles += tile_of(seeds, "seed (repeat) of each", "seeds (repeats) of each");
    tiles += tile_of(rows.size(), "measured value", "measured values");
    tiles += tile(seconds(report.seconds), "for all runs, one after the other");
    return "<div class=\"tiles\">\n" + tiles + "</div>\n";
}

std::string failures_part(const ExperimentReport& report) {
    if (report.failures.empty()) return "";
    std::string lines;
    for (const auto& failure : report.failures)
        lines += paragraph(failure, " class=\"failed\"");
    return section("Failed, and missing below: " + counted(report.failures.size(), "part"), lines);
}

std::string setting_part(const ExperimentReport& report, const std::vector<Row>& rows) {
    std::string facts;
    const auto fact = [&](const std::string& name, const std::string& value) {
        facts += "<tr>" + row_head(name) + cell(value) + "</tr>\n";
    };
    std::vector<std::string> swept = report.swept;
    if (std::find(swept.begin(), swept.end(), kSeed) == swept.end()) swept.emplace_back(kSeed);
    for (const auto& name : swept)
        if (const auto values = values_in(name, rows); !values.empty())
            fact(name, list(values, kMostNamedValues));
    for (const auto& [name, value] : report.machine)
        fact(name, value);
    if (facts.empty()) return "";
    return section("What was run", "<div class=\"scroll\"><table class=\"facts\">\n<tbody>\n" + facts +
                                       "</tbody></table></div>\n");
}

// ---- Tables ----

/// Formats a number, with commas from 10,000 on.
std::string table_number(double value, int decimals) {
    std::string text = decimal(value, decimals);
    const std::size_t begin = text.front() == '-' ? 1 : 0;
    if (begin == 1 && text.find_first_of("123456789") == std::string::npos)
        return text.substr(1);  // never "-0.0"
    const std::size_t end = std::min(text.find('.'), text.size());
    if (end - begin < 5 || !std::isfinite(value)) return text;
    for (std::size_t at = end; at > begin + 3; at -= 3)
        text.insert(at - 3, ",");
    return text;
}

std::string estimate_cell(const std::optional<Estimate>& estimate, int decimals) {
    if (!estimate) return number_cell("-");
    std::string html = escape_html(table_number(estimate->mean, decimals));
    if (estimate->half_width)
        html += " <span class=\"half\">\u00b1 " + escape_html(table_number(*estimate->half_width, decimals)) +
                "</span>";
    return "<td class=\"number\">" + html + "</td>";
}

std::string table_head(const TableSpec& spec, const TableData& data) {
    const bool grouped_columns = !spec.across.empty();
    std::string heads;
    for (const auto& name : spec.down)
        heads += fmt::format("<th{}>{}</th>", grouped_columns ? " rowspan=\"2\"" : "", escape_html(name));
    if (!grouped_columns) return "<tr>" + heads + "<th class=\"number\">mean</th></tr>";
    heads += fmt::format("<th class=\"group\" colspan=\"{}\">{}</th>", data.columns.size(),
                         escape_html(spec.across));
    std::string columns;
    for (const Label& column : data.columns)
        columns += "<th class=\"number\">" + escape_html(to_text(column)) + "</th>";
    return "<tr>" + heads + "</tr>\n<tr>" + columns + "</tr>";
}

std::string table_part(const TableSpec& spec, const std::vector<Row>& rows) {
    const TableData data = gather(spec, rows);
    std::string html = spec.note.empty() ? "" : paragraph(spec.note);
    if (data.empty()) {
        html += paragraph(fmt::format("nothing to show: no row has metric \"{}\" and what the table asks for",
                                      spec.rows.metric),
                          " class=\"failed\"");
        return section(spec.title, html);
    }
    std::string lines;
    for (const auto& line : data.lines) {
        lines += "<tr>";
        for (const auto& head : line.heads)
            lines += row_head(head ? to_text(*head) : "-");
        for (const auto& estimate : line.cells)
            lines += estimate_cell(estimate, spec.decimals);
        lines += "</tr>\n";
    }
    // Wide tables keep the small font of the common style. Otherwise print would cut them off.
    const char* kind = data.columns.size() + spec.down.size() <= kMostColumnsLarge ? " class=\"fit\"" : "";
    html +=
        fmt::format("<div class=\"scroll\"><table{}>\n<thead>{}</thead>\n<tbody>\n{}</tbody></table></div>\n",
                    kind, table_head(spec, data), lines);
    return section(spec.title, html + paragraph(describe_repeats(data), kNote));
}

// ---- Plots ----

std::string plot_part(const PlotSpec& spec, const Result<std::string>& svg, std::size_t number,
                      const std::vector<Row>& rows) {
    std::string html;
    if (svg)
        html += "<figure class=\"paper\">\n" + inline_svg(*svg, fmt::format("plot{}", number), spec.title) +
                "</figure>\n";
    else
        html += paragraph("No plot: " + svg.error().message, " class=\"failed\"");
    if (!spec.note.empty()) html += paragraph(spec.note);
    if (svg) html += paragraph(describe_repeats(gather(spec, rows)), kNote);
    return section(spec.title, html);
}

std::string figures_part(const ExperimentReport& report, const std::vector<Row>& rows,
                         const DrawnPlots& drawn) {
    std::string html;
    std::size_t plots = 0;
    for (const auto& figure : report.figures) {
        if (const auto* plot = std::get_if<PlotSpec>(&figure)) {
            html += plot_part(*plot, drawn[plots], plots + 1, rows);
            ++plots;
        } else {
            html += table_part(std::get<TableSpec>(figure), rows);
        }
    }
    return html;
}

// ---- The end ----

std::string file_part(const ExperimentReport& report) {
    if (report.text.empty()) return "";
    std::string listing;
    std::istringstream lines(report.text);
    // Each line is escaped by itself, because escape_html replaces line ends.
    for (std::string line; std::getline(lines, line);)
        listing += escape_html(line) + "\n";
    return "<section>\n<details><summary>The experiment file</summary>\n<pre>" + listing +
           "</pre>\n</details>\n</section>\n";
}

std::string footer_part(bool with_plots) {
    std::string html =
        "<footer class=\"note\"><p>Every number on this page comes from <a "
        "href=\"results.jsonl\">results.jsonl</a>, "
        "which <a href=\"results.csv\">results.csv</a> holds too. Intervals are Student&#39;s t over seeds, "
        "after averaging "
        "within each seed.";
    if (with_plots) html += " The plots are files of their own in <a href=\"plots/\">plots</a>.";
    return html + "</p></footer>\n";
}

std::string render(const ExperimentReport& report, const std::vector<Row>& rows, const DrawnPlots& drawn) {
    return page("Experiment: " + report.name,
                title_part(report) + tiles_part(report, rows) + failures_part(report) +
                    setting_part(report, rows) + figures_part(report, rows, drawn) + file_part(report) +
                    footer_part(!drawn.empty()),
                kExperimentStyle);
}

// ---- Files ----

std::string file_name(const std::string& title) {
    std::string name;
    for (const char c : title) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (letter)
            name += c;
        else if (c >= 'A' && c <= 'Z')
            name += static_cast<char>(c - 'A' + 'a');
        else if (!name.empty() && name.back() != '-')
            name += '-';
        if (name.size() == kLongestName) break;
    }
    while (!name.empty() && name.back() == '-')
        name.pop_back();
    return name.empty() ? "plot" : name;
}

Result<void> clear_plots(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return failed_with(folder.string() + ": cannot be made: " + error.message());
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (entry.path().extension() == ".svg") std::filesystem::remove(entry.path(), error);
    if (error) return failed_with(folder.string() + ": an old plot cannot be removed: " + error.message());
    return {};
}

Result<void> write_plots(const std::filesystem::path& folder, const ExperimentReport& report,
                         const DrawnPlots& drawn) {
    if (drawn.empty()) return {};
    if (auto cleared = clear_plots(folder); !cleared) return cleared;
    Result<void> result;
    const auto names = plot_names(report.figures);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        const auto file = folder / (names[i] + ".svg");
        Result<void> written = failed_with(std::string());
        if (drawn[i])
            written = support::write_file(file, *drawn[i]);
        else
            written = failed_with(file.string() + ": " + drawn[i].error().message);
        if (!written && result) result = written;
    }
    return result;
}

}  // namespace

std::string render_experiment(const ExperimentReport& report, const std::vector<Row>& rows) {
    return render(report, rows, draw_all(report, rows));
}

std::vector<std::string> plot_names(const std::vector<std::variant<PlotSpec, TableSpec>>& figures) {
    std::vector<std::string> names;
    std::set<std::string> taken;
    for (const auto& figure : figures) {
        const auto* plot = std::get_if<PlotSpec>(&figure);
        if (plot == nullptr) continue;
        const std::string base = file_name(plot->title);
        std::string name = base;
        for (int number = 2; !taken.insert(name).second; ++number)
            name = fmt::format("{}-{}", base, number);
        names.push_back(name);
    }
    return names;
}

Result<void> write_experiment_report(const std::filesystem::path& folder, const ExperimentReport& report,
                                     const std::vector<Row>& rows) {
    const DrawnPlots drawn = draw_all(report, rows);
    const auto plots = write_plots(folder / "plots", report, drawn);
    if (auto page_written = support::write_file(folder / "report.html", render(report, rows, drawn));
        !page_written)
        return page_written;
    return plots;
}

}  // namespace unlearn::sim::report
