#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "sim/experiments/study_settings.hpp"
#include "sim/report/figure.hpp"
#include "sim/report/row.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::experiments {

/// One scenario of an experiment: all swept keys have their values.
struct ExperimentRun {
    std::size_t index = 0;                        ///< in the product of the swept lists, the last key fastest
    std::map<std::string, report::Label> labels;  ///< of the swept keys, and always "seed"
    scenario::Scenario scenario;
    StudySettings study;
    std::string effective;  ///< everything that decides the result, as TOML in a fixed order
    std::size_t family =
        0;  ///< runs of one family have the same data and main models: one process does them all
};

using Figure = std::variant<report::PlotSpec, report::TableSpec>;

/// An experiment file, read and checked: a plain value.
struct Experiment {
    std::filesystem::path file;
    std::string name;
    std::string description;
    StudyKind kind = StudyKind::kLearning;
    std::vector<ExperimentRun> runs;  ///< at least one
    std::size_t families = 0;
    std::vector<std::string> swept;  ///< names of the labels that the sweep gives
    std::vector<Figure> figures;     ///< in the order of the file
    std::string text;                ///< of the file
};

/// Reads an experiment file: a scenario, and beside it [study], [sweep], [poison], [churn], [links], [[plot]]
/// and
/// [[table]] (topologies/experiments/README.md). Every combination of the swept values is checked like a
/// scenario file; errors are one line that names file, line and key.
[[nodiscard]] tl::expected<Experiment, scenario::ScenarioError> load_experiment(
    const std::filesystem::path& file, const scenario::ScenarioOptions& options = {});

constexpr std::size_t kMostRuns = 10'000;

/// The same from text. `file` is what errors call it, and its folder is where relative paths start. More than
/// `most_runs` combinations are an error.
[[nodiscard]] tl::expected<Experiment, scenario::ScenarioError> parse_experiment(
    std::string_view text, const std::filesystem::path& file, const scenario::ScenarioOptions& options = {},
    std::size_t most_runs = kMostRuns);

}  // namespace unlearn::sim::experiments
