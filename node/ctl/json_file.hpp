#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "node/ctl/outcome.hpp"

namespace unlearn::ctl {

/// The most bytes of a JSON file. Certificates and sealed exits need a few hundred bytes for each holder.
inline constexpr std::uintmax_t kMaxJsonFileBytes = std::uintmax_t{64} << 20;

/// Reads a JSON file; "-" is not special.
[[nodiscard]] Outcome<nlohmann::json> read_json_file(const std::filesystem::path& path);

/// Creates a new file and makes it durable. @param mode for example 0600
[[nodiscard]] Outcome<void> create_file(const std::filesystem::path& path, std::string_view content,
                                        unsigned mode);

/// Writes a JSON file atomically, and replaces an older one.
[[nodiscard]] Outcome<void> replace_json_file(const std::filesystem::path& path, const nlohmann::json& value);

}  // namespace unlearn::ctl
