#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "sim/result.hpp"

namespace unlearn::sim::support {

/// Makes `folder` an empty folder of ours. The folder of an earlier run is emptied. A folder that holds
/// anything else is an error, because it may be the user's work. The error is one line that names the folder.
[[nodiscard]] Result<void> prepare_output_folder(const std::filesystem::path& folder);

/// Does the same, but keeps what an earlier run of ours left there.
[[nodiscard]] Result<void> open_output_folder(const std::filesystem::path& folder);

/// Writes a file so that it is there completely or not at all.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& file, std::string_view content);

}  // namespace unlearn::sim::support
