#pragma once

#include "node/config/toml_reader.hpp"
#include "node/learning/data/csv_format.hpp"

namespace unlearn::config {

/// Reads the keys `separator` and `decimal` of the section [data], which configurations and scenarios share.
[[nodiscard]] learning::CsvFormat read_csv_format(TableReader& reader);

}  // namespace unlearn::config
