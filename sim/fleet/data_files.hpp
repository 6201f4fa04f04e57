#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "node/learning/dataset.hpp"
#include "sim/scenario/scenario.hpp"

/// Examples as the files that a node reads. Reading them back gives the same numbers, bit for bit.
namespace unlearn::sim::fleet {

/// What the columns of the CSV files are called that are written here.
struct ColumnNames {
    std::vector<std::string> features;
    std::string label;
};

/// A number as it stands in a data file of this kind: pixels are whole numbers from 0 to 255.
[[nodiscard]] float raw_value(scenario::DataSettings::Kind kind, float value);

struct ExampleFiles {
    std::filesystem::path examples;  ///< IDX: the images; CSV: images and labels
    std::filesystem::path labels;    ///< IDX only
};

/// Labelled examples. The files are named `stem` and what their kind is usually called.
[[nodiscard]] tl::expected<ExampleFiles, std::string> write_examples(
    const std::filesystem::path& stem, scenario::DataSettings::Kind kind, const learning::Dataset& data,
    const std::vector<std::string>& class_names, const ColumnNames& columns);

/// The reference set, without labels.
[[nodiscard]] tl::expected<std::filesystem::path, std::string> write_reference(
    const std::filesystem::path& stem, scenario::DataSettings::Kind kind,
    const learning::ReferenceSet& reference, const ColumnNames& columns);

}  // namespace unlearn::sim::fleet
