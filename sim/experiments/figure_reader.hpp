#pragma once

#include <vector>

#include <toml++/toml.h>

#include "node/config/toml_reader.hpp"
#include "sim/experiments/experiment.hpp"

namespace unlearn::sim::experiments {

/// Reads the [[plot]] and [[table]] sections of an experiment file. Returns them in the order of the file.
[[nodiscard]] std::vector<Figure> read_figures(const toml::table& root, config::TableReader& reader);

}  // namespace unlearn::sim::experiments
