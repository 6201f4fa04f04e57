#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "node/ctl/outcome.hpp"

namespace unlearn::ctl {

/// Certificates and sealed exits are a few hundred bytes for each holder; a larger file is something else.
inline constexpr std::uintmax_t kMaxJsonFileBytes = std::uintmax_t{64} << 20;

/// Reads a JSON file; "-" is not special.
[[nodiscard]] Outcome<nlohmann::json> read_json_file(const std::filesystem::path& path);

/// Writes a file that was not there before, and makes it durable. @param mode for example 0600
[[nodiscard]] Outcome<void> create_file(const std::filesystem::path& path, std::string_view content,
                                        unsigned mode);

/// Writes a JSON file atomically. An older file is replaced.
[[nodiscard]] Outcome<void> replace_json_file(const std::filesystem::path& path, const nlohmann::json& value);

}  // namespace unlearn::ctl
