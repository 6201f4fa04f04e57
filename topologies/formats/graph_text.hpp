#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "topologies/error.hpp"

namespace unlearn::topologies {

/// The text of a graph file, unpacked where it is gzipped, in UTF-8 and without a byte-order mark. Fails with
/// one line that names the file, and the cause where it is no text that a reader knows.
[[nodiscard]] Result<std::string> read_graph_text(const std::filesystem::path& file);

/// `text` with ASCII letters in lower case.
[[nodiscard]] std::string lower_case(std::string text);

/// Writes `text`, gzipped when the name ends in .gz. @return false when it could not be written whole
[[nodiscard]] bool write_graph_text(const std::filesystem::path& file, const std::string& text);

}  // namespace unlearn::topologies
