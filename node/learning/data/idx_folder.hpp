#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "node/learning/data/result.hpp"

namespace unlearn::learning {

/// Finds the IDX file whose name begins with one of `prefixes`, the earlier the better, followed by `part`
/// ("train" and "-images"). Packers and download sites add to such names, so these are looked for in turn: a
/// file of that name, a file in a folder of that name, a file with something before that name. What is not an
/// IDX file is passed over. Fails when there is none, or when several could be meant.
[[nodiscard]] Result<std::filesystem::path> find_idx(const std::filesystem::path& folder,
                                                     const std::vector<std::string_view>& prefixes,
                                                     std::string_view part);

}  // namespace unlearn::learning
