#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/experiments/study_settings.hpp"
#include "sim/report/figure.hpp"
#include "sim/report/row.hpp"
#include "sim/result.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::experiments {

/// One scenario of an experiment, in which every swept key has a value.
struct ExperimentRun {
    std::size_t index = 0;  ///< position among all combinations; the last swept key varies fastest
    std::map<std::string, report::Label> labels;  ///< the swept keys' labels, and always "seed"
    scenario::Scenario scenario;
    StudySettings study;
    std::string effective;   ///< everything that decides the result, as TOML in a fixed order
    std::size_t family = 0;  ///< runs of a family share data and main models; one process makes them all
};

/// A figure of the report.
using Figure = std::variant<report::PlotSpec, report::TableSpec>;

/// An experiment file that was read and checked. It is a plain value.
struct Experiment {
    std::filesystem::path file;
    std::string name;
    std::string description;
    StudyKind kind = StudyKind::learning;
    std::vector<ExperimentRun> runs;  ///< at least one
    std::size_t families = 0;
    std::vector<std::string> swept;  ///< names of the swept labels
    std::vector<Figure> figures;     ///< in the order of the file
    std::string text;                ///< the text of the file
};

/// Reads an experiment file: a scenario with the additional sections [study], [sweep], [poison], [churn],
/// [links], [[plot]] and [[table]] (topologies/experiments/README.md). Every combination of the swept values
/// is checked like a scenario file. Errors are one line that names file, line and key.
[[nodiscard]] Result<Experiment> load_experiment(const std::filesystem::path& file,
                                                 const scenario::ScenarioOptions& options = {});

/// The largest number of combinations of an experiment.
constexpr std::size_t kMostRuns = 10'000;

/// Reads an experiment from text. Errors call it `file`, and relative paths start at the folder of `file`.
/// More than `most_runs` combinations are an error.
[[nodiscard]] Result<Experiment> parse_experiment(std::string_view text, const std::filesystem::path& file,
                                                  const scenario::ScenarioOptions& options = {},
                                                  std::size_t most_runs = kMostRuns);

}  // namespace unlearn::sim::experiments
