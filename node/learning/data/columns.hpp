#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "node/learning/data/result.hpp"
#include "node/learning/data/table.hpp"

/// The columns of tables are told apart by their names, because files of different tools hold the same
/// columns in different orders.
namespace unlearn::learning {

/// The feature columns that a table must have, in the order in which models see them.
struct WantedColumns {
    std::vector<std::string> names = {};  ///< empty: the columns of the file, in its order
    std::string source = {};  ///< where these names come from, for errors: a file, or "the network"
};

/// Returns the place in `found` of each wanted column. The names in `found` must be distinct. Fails if a
/// column is missing, is not wanted, or has another name than it should. The error is one line that begins
/// with a verb.
[[nodiscard]] Result<std::vector<std::size_t>> match_columns(const WantedColumns& wanted,
                                                             std::span<const std::string> found);

/// Returns a column as errors name it; `place` counts from 0.
[[nodiscard]] std::string column_text(const std::string& name, std::size_t place);

/// Returns one line for each kind of column that is rarely meant to be learnt from: columns without a name or
/// with the name that pandas gives to an unnamed one (its row numbers), columns with the same value in every
/// row, columns that count the rows, and columns with large values that differ only in the last of the digits
/// that a float keeps.
[[nodiscard]] std::vector<std::string> suspicious_columns(const LabelledData& data);

/// Returns one line for each class whose name usually marks a missing value, such as NA.
[[nodiscard]] std::vector<std::string> suspicious_classes(const LabelledData& data);

}  // namespace unlearn::learning
