#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "node/learning/data/result.hpp"
#include "node/learning/data/table.hpp"

/// The columns of tables have names, and names decide which is which: files of different tools hold the same
/// columns in different orders.
namespace unlearn::learning {

/// The feature columns that a table must have, in the order in which models see them.
struct WantedColumns {
    std::vector<std::string> names = {};  ///< empty: those of the file, in its order
    std::string source = {};              ///< who wants them, for errors: a file, or "the network"
};

/// For each wanted column, its place in `found`, where each name stands once. Fails with one line, which
/// begins with a verb, when a column is missing, is not wanted, or has another name than it should.
[[nodiscard]] Result<std::vector<std::size_t>> match_columns(const WantedColumns& wanted,
                                                             std::span<const std::string> found);

/// A column as errors name it; `place` counts from 0.
[[nodiscard]] std::string column_text(const std::string& name, std::size_t place);

/// One line for each kind of column that is rarely meant to be learnt from: without a name, or with the name
/// that pandas gives to one (its row numbers); the same value in every row; counting the rows;
/// large values that differ only in the last of the digits that a float keeps.
[[nodiscard]] std::vector<std::string> suspicious_columns(const LabelledData& data);

/// One line for each class whose name is what software writes where nothing is known, such as NA.
[[nodiscard]] std::vector<std::string> suspicious_classes(const LabelledData& data);

}  // namespace unlearn::learning
