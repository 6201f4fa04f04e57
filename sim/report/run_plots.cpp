#include "sim/report/run_plots.hpp"

#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>

#include "sim/report/axis.hpp"
#include "sim/report/text.hpp"

namespace unlearn::sim::report {
namespace {

constexpr double kRowsWidth = 440.0;
constexpr double kRow = 24.0;

/// Shortens and escapes a name. A name longer than the left margin would run into the plot.
std::string short_name(const std::string& label) {
    constexpr std::size_t kMost = 16;
    return escape_html(cut_to(label, kMost));
}

std::string text_at(double x, double y, const char* anchor, const std::string& text, const char* style = "") {
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>", x, y, anchor, style,
                       text);
}

std::string square(double x, double y) {
    return fmt::format("<rect class=\"mark main\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"9\" height=\"9\"/>",
                       x - 4.5, y - 4.5);
}

std::string ring(double x, double y) {
    return fmt::format("<circle class=\"mark before\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5.5\"/>", x, y);
}

std::string diamond(double x, double y) {
    return fmt::format("<path class=\"mark after\" d=\"M{0:.1f} {1:.1f}l5 5l-5 5l-5 -5z\"/>", x, y - 5.0);
}

/// Returns the part of the accuracy axis that the rows need.
Axis axis_for(const std::vector<AccuracyRow>& rows) {
    double least = 1.0;
    double most = 0.0;
    for (const auto& row : rows) {
        for (const double value : {row.main, row.before, row.after}) {
            if (std::isnan(value)) continue;
            least = std::min(least, value);
            most = std::max(most, value);
        }
    }
    if (least > most) return linear_axis(0.0, 1.0);
    return linear_axis(least, most);
}

}  // namespace

std::string plot_accuracy(const std::string& title, const std::vector<AccuracyRow>& rows) {
    constexpr double kLeft = 112.0;
    constexpr double kRight = 18.0;
    constexpr double kTop = 34.0;
    const double bottom = kTop + kRow * static_cast<double>(rows.size());
    const Axis axis = axis_for(rows);
    const auto x = [&](double value) {
        return kLeft + (value - axis.least) / (axis.most - axis.least) * (kRowsWidth - kLeft - kRight);
    };

    std::string svg =
        fmt::format("<svg class=\"plot\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n",
                    kRowsWidth, bottom + 26.0, escape_html(title));
    svg += text_at(0, 14, "start", escape_html(title), " class=\"title\"") + "\n";
    for (const double value : axis.ticks) {
        svg +=
            fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>",
                        x(value), kTop - 6.0, bottom);
        svg += text_at(x(value), bottom + 16, "middle", decimal(value * 100.0, 0) + " %") + "\n";
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const AccuracyRow& row = rows[i];
        const double y = kTop + kRow * (static_cast<double>(i) + 0.5) - 3.0;
        svg +=
            text_at(kLeft - 12, y + 4, "end", short_name(row.label), row.emphasis ? " class=\"strong\"" : "");
        const double end = std::isnan(row.after) ? row.before : row.after;
        if (!std::isnan(row.main) && !std::isnan(end)) {
            svg +=
                fmt::format("<line class=\"span\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                            x(row.main), y, x(end), y);
        }
        if (!std::isnan(row.main)) svg += square(x(row.main), y);
        if (!std::isnan(row.after)) svg += diamond(x(row.after), y);
        // The circle is hollow and drawn last, so that a diamond in the same place shows inside it.
        if (!std::isnan(row.before)) svg += ring(x(row.before), y);
        svg += "\n";
    }
    return svg + "</svg>\n";
}

std::string plot_bars(const std::string& title, const std::vector<Bar>& bars) {
    constexpr double kLeft = 112.0;
    constexpr double kRight = 84.0;  // for the value beside the longest bar
    constexpr double kTop = 26.0;
    double most = 0.0;
    for (const auto& bar : bars)
        most = std::max(most, std::isnan(bar.value) ? 0.0 : bar.value);

    std::string svg =
        fmt::format("<svg class=\"plot\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n",
                    kRowsWidth, kTop + kRow * static_cast<double>(bars.size()), escape_html(title));
    svg += text_at(0, 14, "start", escape_html(title), " class=\"title\"") + "\n";
    for (std::size_t i = 0; i < bars.size(); ++i) {
        const Bar& bar = bars[i];
        const double y = kTop + kRow * static_cast<double>(i);
        const double value = std::isnan(bar.value) ? 0.0 : std::max(0.0, bar.value);
        // Every bar has some width, so that a small value is not mistaken for none.
        const double width = std::max(1.0, most > 0.0 ? value / most * (kRowsWidth - kLeft - kRight) : 0.0);
        svg += text_at(kLeft - 12, y + 14, "end", short_name(bar.label));
        svg += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"14\"/>",
                           kLeft, y + 3, width);
        svg += text_at(kLeft + width + 6, y + 14, "start", escape_html(bar.text)) + "\n";
    }
    return svg + "</svg>\n";
}

std::string accuracy_legend(bool with_exit) {
    const auto entry = [](const std::string& mark, const char* text) {
        return "<li><svg class=\"key\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">" + mark + "</svg>" + text +
               "</li>";
    };
    std::string legend = "<ul class=\"legend\">" + entry(square(8, 8), "main model alone");
    legend += entry(ring(8, 8), with_exit ? "ensemble before the exit" : "ensemble");
    if (with_exit) legend += entry(diamond(8, 8), "ensemble after the exit");
    return legend + "</ul>\n";
}

}  // namespace unlearn::sim::report
