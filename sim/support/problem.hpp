#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace unlearn::sim::support {

/// What a function that can fail returns: one line that names the file, node or key, for the user.
[[nodiscard]] inline tl::unexpected<std::string> failed_with(std::string line) {
    return tl::unexpected<std::string>(std::move(line));
}

[[nodiscard]] inline tl::unexpected<std::string> failed_with(const std::filesystem::path& file,
                                                             std::string_view what) {
    return failed_with(file.string() + ": " + std::string(what));
}

}  // namespace unlearn::sim::support
