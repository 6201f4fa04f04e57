#pragma once

#include <string>

#include "sim/report/figure.hpp"
#include "sim/report/figures.hpp"

namespace unlearn::sim::report {

/// Returns the script with which gnuplot 5.4 writes this plot as SVG to its standard output. The script
/// contains the data, which must not be empty. Values that a logarithmic axis cannot show are left out.
[[nodiscard]] std::string plot_script(const PlotSpec& plot, const PlotData& data);

}  // namespace unlearn::sim::report
