#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "node/config/toml_reader.hpp"
#include "sim/report/row.hpp"

namespace unlearn::sim::experiments {

/// One list of [sweep]. `sweep.distillation.temperature = [1, 3]` sets distillation.temperature to 1, then to
/// 3. `sweep.topology = ["ring", "star"]` stands for topology.kind. An element that is a table is merged into
/// the table of that name; its `label` is its name in the rows.
struct SweptKey {
    std::vector<std::string> path;
    std::string name;  ///< name of the label: the last part of the path if that is unique, or else all of it
    std::vector<report::Label> labels;  ///< one label for each element
};

/// Reads the lists of [sweep] in the order of the file.
[[nodiscard]] std::vector<SweptKey> read_swept_keys(const toml::table& root, config::Complaints& complaints);

/// Moves one element of each list of [sweep] to its place in the table, so that errors still name its line,
/// and removes [sweep] from the table. `choice` has an index for each key.
void apply_choice(toml::table& root, const std::vector<SweptKey>& keys,
                  const std::vector<std::size_t>& choice);

}  // namespace unlearn::sim::experiments
