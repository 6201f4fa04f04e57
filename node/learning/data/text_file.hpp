#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "node/learning/data/result.hpp"

namespace unlearn::learning {

/// The largest file that is read at once, unpacked.
constexpr std::size_t kMaxWholeFile = std::size_t{1} << 30;

/// Reads all bytes of a file, gzipped or not.
[[nodiscard]] Result<std::string> read_whole(const std::filesystem::path& path);

/// Reads a text file, gzipped or not, as decode_text() gives it.
[[nodiscard]] Result<std::string> read_text_file(const std::filesystem::path& path);

/// Turns the bytes of a text into UTF-8 (RFC 3629) without a byte-order mark, whose lines end in LF. UTF-16
/// and UTF-32 are recognised by their marks. `name` is what errors call the text.
///
/// Fails on what is not text: spreadsheets and other archives, bytes that are no UTF-8, and UTF-16 without a
/// mark. The error names the cause and, where there is one, the line.
[[nodiscard]] Result<std::string> decode_text(std::string bytes, std::string_view name);

/// Text from a file as errors show it: in quotes, on one line, and not more than its first 40 bytes.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace unlearn::learning
