#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "node/config/toml_reader.hpp"
#include "sim/report/row.hpp"

namespace unlearn::sim::experiments {

/// One list of [sweep]: `sweep.distillation.temperature = [1, 3]` sets distillation.temperature to 1, then
/// to 3. `sweep.topology = ["ring", "star"]` stands for topology.kind. Elements that are tables are laid over
/// the table of that name, and name themselves with `label`.
struct SweptKey {
    std::vector<std::string> path;
    std::string
        name;  ///< of the label: the path's last part, or all of it where two would be called the same
    std::vector<report::Label> labels;  ///< one for each element
};

/// The lists of [sweep] in the order of the file.
[[nodiscard]] std::vector<SweptKey> read_swept_keys(const toml::table& root, config::Complaints& complaints);

/// Moves one element of each list of [sweep] to where it belongs (so that errors still name its line), and
/// takes [sweep] out of the table. `choice` has an index for each key.
void apply_choice(toml::table& root, const std::vector<SweptKey>& keys,
                  const std::vector<std::size_t>& choice);

}  // namespace unlearn::sim::experiments
