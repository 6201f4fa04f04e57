#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "node/learning/data/table.hpp"

namespace unlearn::testing {

/// Writes these rows of a table of grey images, scaled to [0, 1], as the IDX files NAME-images and
/// NAME-labels.
void write_idx_part(const std::filesystem::path& folder, const std::string& name,
                    const learning::LabelledData& table, const std::vector<std::size_t>& rows);

}  // namespace unlearn::testing
