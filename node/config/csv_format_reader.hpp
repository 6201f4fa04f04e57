#pragma once

#include "node/config/toml_reader.hpp"
#include "node/learning/data/csv_format.hpp"

namespace unlearn::config {

/// The keys `separator` and `decimal`, which the section [data] of configurations and scenarios has alike.
[[nodiscard]] learning::CsvFormat read_csv_format(TableReader& reader);

}  // namespace unlearn::config
