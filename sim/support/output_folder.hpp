#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace unlearn::sim::support {

/// Makes `folder` an empty folder of ours. An earlier run's folder is emptied; a folder that holds anything
/// else is an error, because it may be the user's work. @return one line that names the folder.
[[nodiscard]] tl::expected<void, std::string> prepare_output_folder(const std::filesystem::path& folder);

/// The same, but keeps what an earlier run of ours left there.
[[nodiscard]] tl::expected<void, std::string> open_output_folder(const std::filesystem::path& folder);

/// Writes a file so that it is there whole or not at all.
[[nodiscard]] tl::expected<void, std::string> write_file(const std::filesystem::path& file,
                                                         std::string_view content);

}  // namespace unlearn::sim::support
