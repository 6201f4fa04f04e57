#include "sim/report/plot.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "sim/report/figures.hpp"
#include "sim/report/plot_script.hpp"
#include "sim/report/program.hpp"
#include "sim/report/text.hpp"

namespace unlearn::sim::report {
namespace {

constexpr std::chrono::seconds kDrawTimeout{20};
constexpr std::chrono::seconds kVersionTimeout{5};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

/// Removes the text from the first `begin` to the `end` after it. Returns false when there is none.
bool cut(std::string& text, std::string_view begin, std::string_view end) {
    const std::size_t from = text.find(begin);
    if (from == std::string::npos) return false;
    const std::size_t to = text.find(end, from + begin.size());
    if (to == std::string::npos) return false;
    text.erase(from, to + end.size() - from);
    return true;
}

/// Replaces gnuplot's titles with the plot's own: "Gnuplot", and "gnuplot_plot_1" as a tool tip on each line.
/// Adds fallback fonts for other machines.
std::string dressed(std::string svg, const std::string& title) {
    while (cut(svg, "<title>", "</title>")) {
    }
    const std::size_t end_of_root = svg.find('>', svg.find("<svg"));
    if (end_of_root != std::string::npos)
        svg.insert(end_of_root + 1, "\n<title>" + escape_html(title) + "</title>");
    replace_all(svg, "font-family=\"Arial\"",
                "font-family=\"Arial, 'Liberation Sans', Helvetica, sans-serif\"");
    return svg;
}

std::string why_nothing_fits(const PlotSpec& plot) {
    std::string needed = "label \"" + plot.x + "\"";
    if (plot.series) needed += ", label \"" + *plot.series + "\"";
    return fmt::format("no measured row has metric \"{}\", {}{}", plot.rows.metric, needed,
                       plot.rows.where.empty() ? "" : " and what \"where\" asks for");
}

bool is_within(const PlotSpec& plot, const PlotSeries& series) {
    return std::any_of(series.points.begin(), series.points.end(), [&](const PlotPoint& point) {
        const auto* x = std::get_if<double>(&point.x);
        return (!plot.log_y || point.y.mean > 0.0) && (!plot.log_x || x == nullptr || *x > 0.0);
    });
}

}  // namespace

Result<std::string> draw_plot(const PlotSpec& plot, const std::vector<Row>& rows) {
    const PlotData data = gather(plot, rows);
    if (data.empty()) return failed_with(why_nothing_fits(plot));
    if (std::none_of(data.series.begin(), data.series.end(),
                     [&](const auto& series) { return is_within(plot, series); }))
        return failed_with(std::string("a logarithmic axis shows only what is above zero"));

    // -d ignores the user's own settings for gnuplot.
    const auto svg = run_program({"gnuplot", "-d", "-"}, plot_script(plot, data), kDrawTimeout);
    if (svg && svg->find("</svg>") != std::string::npos) return dressed(*svg, plot.title);
    if (!run_program({"gnuplot", "--version"}, "", kVersionTimeout))
        return failed_with(
            std::string("gnuplot cannot be started; is it installed (Debian package gnuplot-nox)?"));
    return failed_with(std::string("gnuplot could not draw this plot (5.4 or later is needed)"));
}

std::string inline_svg(std::string svg, std::string_view prefix, std::string_view label) {
    svg.erase(0, std::min(svg.find("<svg"), svg.size()));
    // HTML needs no declaration of these namespaces, and a page without anything like a URL is easier to
    // trust.
    static_cast<void>(cut(svg, "xmlns=\"", "\""));
    static_cast<void>(cut(svg, "xmlns:xlink=\"", "\""));
    static_cast<void>(cut(svg, "<title>", "</title>"));
    const std::string before(prefix);
    for (const char* quote : {"'", "\""}) {
        replace_all(svg, fmt::format(" id={}", quote), fmt::format(" id={}{}-", quote, before));
        replace_all(svg, fmt::format("href={}#", quote), fmt::format("href={}#{}-", quote, before));
    }
    replace_all(svg, "url(#", "url(#" + before + "-");
    const std::string attributes =
        fmt::format("<svg class=\"drawn\" role=\"img\" aria-label=\"{}\"", escape_html(label));
    return attributes + svg.substr(std::min<std::size_t>(svg.size(), 4));
}

}  // namespace unlearn::sim::report
