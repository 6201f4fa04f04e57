#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "sim/report/row.hpp"

namespace unlearn::sim::report {

// What an experiment measured, as files that other programs read. Both hold the same rows in the same order.
// A value that is no number (NaN, infinite) was not measured: null in JSON, empty in CSV. Files appear whole
// or not at all. Errors are one line.

/// JSON Lines: one row a line, a flat object. "metric" and "value" come first, then the labels in their
/// order:
///
///     {"metric":"accuracy","value":0.857,"method":"hdus","seed":3,"topology":"ring"}
///
/// A label that is called "metric" or "value" is an error.
[[nodiscard]] tl::expected<void, std::string> write_rows_jsonl(const std::filesystem::path& file,
                                                               const std::vector<Row>& rows);

/// CSV as RFC 4180 has it (CRLF, quotes where needed): columns metric, value, and every label that occurs,
/// sorted; empty where a row lacks it. For spreadsheets and data frames: words and numbers look alike, so
/// that only JSON Lines reads back the same.
[[nodiscard]] tl::expected<void, std::string> write_rows_csv(const std::filesystem::path& file,
                                                             const std::vector<Row>& rows);

/// Reads what `write_rows_jsonl` wrote; empty lines are passed over. Errors say "FILE:LINE: what is wrong".
[[nodiscard]] tl::expected<std::vector<Row>, std::string> read_rows(const std::filesystem::path& file);

}  // namespace unlearn::sim::report
