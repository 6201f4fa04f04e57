#pragma once

#include <string>

#include "sim/report/figure.hpp"
#include "sim/report/figures.hpp"

namespace unlearn::sim::report {

/// What gnuplot 5.4 is told to draw this plot as SVG on its standard output; the data are part of it. They
/// must not be empty. Values that a logarithmic axis cannot show are left out.
[[nodiscard]] std::string plot_script(const PlotSpec& plot, const PlotData& data);

}  // namespace unlearn::sim::report
