#pragma once

#include <istream>
#include <string>
#include <vector>

#include "node/ctl/outcome.hpp"

namespace unlearn::ctl {

/// Examples without labels, in the units of the file: bytes of an IDX image are 0 to 255.
using Rows = std::vector<std::vector<double>>;

struct RowOptions {
    std::string label;  ///< CSV: a column to leave out, by name or by its number counted from 0; empty: none
};

/// Reads comma-separated numbers, or the images of an IDX file; gzipped or not. "-" is `standard_input`, and
/// not gzipped. A first CSV line with a field that is no number is a header.
/// @return bad_input with file:line for what is no finite number and for rows of other lengths.
[[nodiscard]] Outcome<Rows> read_rows(const std::string& file, std::istream& standard_input,
                                      const RowOptions& options);

}  // namespace unlearn::ctl
