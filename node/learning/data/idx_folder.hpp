#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "node/learning/data/result.hpp"

namespace unlearn::learning {

/// Finds the IDX file whose name begins with one of `prefixes`, the earlier the better, followed by `part`
/// (for example "train" and "-images"). Packers and download sites change such names, so it looks in this
/// order for a file of that name, a file in a folder of that name, and a file with something before that
/// name. Files that are not IDX are ignored. Fails if there is none, or if several could be meant.
[[nodiscard]] Result<std::filesystem::path> find_idx(const std::filesystem::path& folder,
                                                     const std::vector<std::string_view>& prefixes,
                                                     std::string_view part);

}  // namespace unlearn::learning
