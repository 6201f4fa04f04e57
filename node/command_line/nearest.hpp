#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace unlearn::command_line {

/// Returns the candidate that a user who typed `word` probably meant; nothing when no candidate is near it.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

}  // namespace unlearn::command_line
