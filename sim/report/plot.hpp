#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "sim/report/figure.hpp"
#include "sim/report/row.hpp"

namespace unlearn::sim::report {

/// Draws a plot with gnuplot, as an SVG document of its own, for papers and for pages: axes, legend and 95 %
/// intervals, but no title, which stands in a caption. Series differ by dash, mark and fill as much as by
/// colour (dark ones that colour-blind people can tell apart), so that print in grey is enough. The same rows
/// give the same bytes with the same gnuplot. Words of the rows never reach gnuplot as commands.
///
/// Lines of many points have marks and intervals at some of them only. Where an x is a word, lines and points
/// have a place for each value; points then stand beside each other.
///
/// Blocks until gnuplot is done, at most 20 s. @return one line when no row fits, or when gnuplot is missing
/// or fails.
[[nodiscard]] tl::expected<std::string, std::string> draw_plot(const PlotSpec& plot,
                                                               const std::vector<Row>& rows);

/// That SVG for use within an HTML page: without the head of a document, labelled for screen readers, and
/// with `prefix` before every id, which must be unique in a page.
[[nodiscard]] std::string inline_svg(std::string svg, std::string_view prefix, std::string_view label);

}  // namespace unlearn::sim::report
