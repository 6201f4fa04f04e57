#pragma once

#include <istream>
#include <string>
#include <vector>

#include "node/ctl/outcome.hpp"
#include "node/learning/data/csv_format.hpp"

namespace unlearn::ctl {

/// Examples without labels, in the units of the file: bytes of an IDX image are 0 to 255.
using Rows = std::vector<std::vector<double>>;

struct RowOptions {
    /// CSV: a column to leave out, by name or by its number counted from 0; empty: none.
    std::string label = {};
    learning::CsvFormat format = {};
    /// CSV: the columns of the node's network, in its order; empty: as they stand in the file.
    std::vector<std::string> columns = {};
    /// CSV: what the node calls the column with the class; empty: nobody knows.
    std::string label_of_node = {};
};

/// Reads CSV rows, or the images of an IDX file; gzipped or not. "-" is `standard_input`, and not gzipped.
/// Columns are matched by the names in the header; rows without a header are in the network's order.
/// @return bad_input with file:line for what is no finite number, for rows of other lengths, and for columns
///         that are not those of the network. A class among the columns gets a hint at --label.
[[nodiscard]] Outcome<Rows> read_rows(const std::string& file, std::istream& standard_input,
                                      const RowOptions& options);

}  // namespace unlearn::ctl
