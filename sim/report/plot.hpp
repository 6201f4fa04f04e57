#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/report/figure.hpp"
#include "sim/report/row.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::report {

/// Draws a plot with gnuplot as a standalone SVG document, for papers and for pages. It has axes, a legend
/// and 95 % intervals, but no visible title, which belongs in a caption. Series differ by dash, mark and fill
/// as well as by colour, so that the plot is readable in grey. The colours are dark, and colour-blind people
/// can tell them apart. The same rows give the same bytes with the same gnuplot. Words of the rows never
/// reach gnuplot as commands.
///
/// Lines of many points have marks and intervals only at some of them. Where an x is a word, lines and points
/// have a place for each value, and the points of different series are side by side.
///
/// Blocks until gnuplot is done, at most 20 s. @return an error of one line when no row fits, or when gnuplot
/// is missing or fails.
[[nodiscard]] Result<std::string> draw_plot(const PlotSpec& plot, const std::vector<Row>& rows);

/// Adapts that SVG for use inside an HTML page: removes the head of the document, adds a label for screen
/// readers, and puts `prefix`, which must be unique in the page, before every id.
[[nodiscard]] std::string inline_svg(std::string svg, std::string_view prefix, std::string_view label);

}  // namespace unlearn::sim::report
