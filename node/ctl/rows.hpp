#pragma once

#include <istream>
#include <string>
#include <vector>

#include "node/ctl/outcome.hpp"
#include "node/learning/data/csv_format.hpp"

namespace unlearn::ctl {

/// Examples without labels, in the units of the file: the bytes of an IDX image are 0 to 255.
using Rows = std::vector<std::vector<double>>;

/// How to read a file of examples.
struct RowOptions {
    /// CSV: a column to leave out, by name or by its number counted from 0; empty: none.
    std::string label = {};
    learning::CsvFormat format = {};
    /// CSV: the columns of the node's network, in its order; empty: as in the file.
    std::vector<std::string> columns = {};
    /// CSV: the node's name for the column with the class; empty: not known.
    std::string label_of_node = {};
};

/// Reads CSV rows, or the images of an IDX file, gzipped or not. "-" reads `standard_input`, which must not
/// be gzipped. Columns are matched by the names in the header; rows without a header are in the network's
/// order.
/// @return bad_input with file:line for a value that is not a finite number, for rows of different lengths,
/// and for columns that are not those of the network. When the class is among the columns, the message
/// suggests --label.
[[nodiscard]] Outcome<Rows> read_rows(const std::string& file, std::istream& standard_input,
                                      const RowOptions& options);

}  // namespace unlearn::ctl
