#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "topologies/error.hpp"

namespace unlearn::topologies {

/// Reads the text of a graph file, gzipped or not, in UTF-8 and without a byte-order mark. Fails with one
/// line that names the file and the cause.
[[nodiscard]] Result<std::string> read_graph_text(const std::filesystem::path& file);

/// Returns `text` with ASCII letters in lower case.
[[nodiscard]] std::string lower_case(std::string text);

/// Writes `text`, gzipped if the name ends in .gz. Returns false if it could not be written completely.
[[nodiscard]] bool write_graph_text(const std::filesystem::path& file, const std::string& text);

}  // namespace unlearn::topologies
