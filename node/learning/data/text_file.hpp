#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "node/learning/data/result.hpp"

namespace unlearn::learning {

/// The size, after decompression, of the largest file that is read as a whole.
constexpr std::size_t kMaxWholeFile = std::size_t{1} << 30;

/// Reads all bytes of a file, gzipped or not.
[[nodiscard]] Result<std::string> read_whole(const std::filesystem::path& path);

/// Reads a text file, gzipped or not, and decodes it with decode_text().
[[nodiscard]] Result<std::string> read_text_file(const std::filesystem::path& path);

/// Turns the bytes of a text into UTF-8 (RFC 3629) without a byte-order mark and with lines that end in LF.
/// UTF-16 and UTF-32 are recognised by their marks. Errors call the text `name`.
///
/// Fails on what is not text: spreadsheets and other archives, bytes that are not UTF-8, and UTF-16 without a
/// mark. The error names the cause and, if there is one, the line.
[[nodiscard]] Result<std::string> decode_text(std::string bytes, std::string_view name);

/// Returns text from a file as errors show it: quoted, on one line, and at most its first 40 bytes.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace unlearn::learning
