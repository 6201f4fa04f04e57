#pragma once

#include "node/config/toml_reader.hpp"
#include "node/learning/data/ensemble_options.hpp"

namespace unlearn::config {

/// Reads the section [ensemble], which configurations and scenarios share: aggregation, rho, calibrated,
/// weighted.
[[nodiscard]] learning::EnsembleOptions read_ensemble(TableReader& root);

}  // namespace unlearn::config
