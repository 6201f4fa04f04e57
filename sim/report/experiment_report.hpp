#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sim/report/figure.hpp"
#include "sim/report/row.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::report {

/// What the report of an experiment shows besides its rows.
struct ExperimentReport {
    std::string name;
    std::string description;                                 ///< an empty line begins a new paragraph
    std::vector<std::variant<PlotSpec, TableSpec>> figures;  ///< in the order of the page
    std::vector<std::string> swept;  ///< swept labels; their values are taken from the rows
    std::size_t runs = 0;            ///< number of runs that produced rows
    double seconds = 0.0;            ///< summed over all runs
    std::vector<std::pair<std::string, std::string>>
        machine;                        ///< "cpu", "cores" and software versions, in order
    std::vector<std::string> failures;  ///< one line for each missing run
    std::string text;                   ///< the text of the experiment file
};

/// Renders the report as one self-contained HTML file, without scripts and without network access. It is
/// readable in print, in grey, on a phone and on a dark screen. All text is escaped. Where a plot cannot be
/// drawn, the page says why in one line. Runs gnuplot once for each plot.
[[nodiscard]] std::string render_experiment(const ExperimentReport& report, const std::vector<Row>& rows);

/// Returns a name for each plot among the figures, made from its title: "time-to-forget", and
/// "time-to-forget-2" for the second plot with that title. The names are file names of lower-case letters,
/// digits and hyphens.
[[nodiscard]] std::vector<std::string> plot_names(
    const std::vector<std::variant<PlotSpec, TableSpec>>& figures);

/// Writes report.html, and plots/NAME.svg for papers, into an existing folder. The SVG files of an earlier
/// report in that folder are removed. If a plot cannot be drawn, everything else is still written. @return an
/// error of one line if anything failed.
[[nodiscard]] Result<void> write_experiment_report(const std::filesystem::path& folder,
                                                   const ExperimentReport& report,
                                                   const std::vector<Row>& rows);

}  // namespace unlearn::sim::report
