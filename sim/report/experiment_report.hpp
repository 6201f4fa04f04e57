#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "sim/report/figure.hpp"
#include "sim/report/row.hpp"

namespace unlearn::sim::report {

/// What the report of an experiment says beside its rows.
struct ExperimentReport {
    std::string name;
    std::string description;                                 ///< an empty line begins a new paragraph
    std::vector<std::variant<PlotSpec, TableSpec>> figures;  ///< in the order in which they are shown
    std::vector<std::string> swept;  ///< labels that the sweep gives; their values are taken from the rows
    std::size_t runs = 0;            ///< that gave rows
    double seconds = 0.0;            ///< of all runs together
    std::vector<std::pair<std::string, std::string>>
        machine;                        ///< "cpu", "cores", versions of software; in order
    std::vector<std::string> failures;  ///< one line for each run that is missing
    std::string text;                   ///< the experiment file
};

/// The report: one file that needs nothing else, neither scripts nor the network. Readable in print, in grey,
/// on a phone and on a dark screen. Every text is escaped. Where a plot cannot be drawn, one line in its
/// place says why. Runs gnuplot once for each plot.
[[nodiscard]] std::string render_experiment(const ExperimentReport& report, const std::vector<Row>& rows);

/// Names for the plots among the figures, made from their titles: "time-to-forget"; the second of that name
/// is "time-to-forget-2". They are file names everywhere.
[[nodiscard]] std::vector<std::string> plot_names(
    const std::vector<std::variant<PlotSpec, TableSpec>>& figures);

/// Writes report.html, and plots/NAME.svg for papers, into a folder that exists. SVG files of an earlier
/// report there are removed. Everything that can be written is, even where a plot cannot be drawn. @return
/// one line with the first thing that went wrong.
[[nodiscard]] tl::expected<void, std::string> write_experiment_report(const std::filesystem::path& folder,
                                                                      const ExperimentReport& report,
                                                                      const std::vector<Row>& rows);

}  // namespace unlearn::sim::report
