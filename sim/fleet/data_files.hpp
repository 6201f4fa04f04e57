#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "node/learning/dataset.hpp"
#include "sim/result.hpp"
#include "sim/scenario/scenario.hpp"

/// Writes examples as the files that a node reads. Reading them back gives the same numbers, bit for bit.
namespace unlearn::sim::fleet {

/// The names of the columns in the CSV files that are written here.
struct ColumnNames {
    std::vector<std::string> features;
    std::string label;
};

/// Returns a number as it is in a data file of this kind. Pixels are whole numbers from 0 to 255.
[[nodiscard]] float raw_value(scenario::DataSettings::Kind kind, float value);

/// The files of labelled examples.
struct ExampleFiles {
    std::filesystem::path examples;  ///< IDX: the images; CSV: features and labels
    std::filesystem::path labels;    ///< IDX only
};

/// Writes labelled examples. The file names are `stem` followed by the usual ending for their kind.
[[nodiscard]] Result<ExampleFiles> write_examples(const std::filesystem::path& stem,
                                                  scenario::DataSettings::Kind kind,
                                                  const learning::Dataset& data,
                                                  const std::vector<std::string>& class_names,
                                                  const ColumnNames& columns);

/// Writes the reference set without labels, with file names like those above.
[[nodiscard]] Result<std::filesystem::path> write_reference(const std::filesystem::path& stem,
                                                            scenario::DataSettings::Kind kind,
                                                            const learning::ReferenceSet& reference,
                                                            const ColumnNames& columns);

}  // namespace unlearn::sim::fleet
