#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/report/row.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::report {

// Writes and reads what an experiment measured, as files for other programs. Both formats hold the same rows
// in the same order. A value that is not finite (NaN, infinite) was not measured: it is null in JSON and
// empty in CSV. A file is written whole or not at all. Errors are one line.

/// Writes JSON Lines: one row per line, as a flat object. "metric" and "value" come first, then the labels in
/// their order:
///
///     {"metric":"accuracy","value":0.857,"method":"hdus","seed":3,"topology":"ring"}
///
/// A label that is called "metric" or "value" is an error.
[[nodiscard]] Result<void> write_rows_jsonl(const std::filesystem::path& file, const std::vector<Row>& rows);

/// Writes CSV as RFC 4180 defines it (CRLF, quotes where needed). The columns are metric, value, and every
/// label that occurs, sorted. A field is empty where the row lacks the label. CSV is for spreadsheets and
/// data frames: it does not distinguish words from numbers, so only JSON Lines reads back the same.
[[nodiscard]] Result<void> write_rows_csv(const std::filesystem::path& file, const std::vector<Row>& rows);

/// Reads what `write_rows_jsonl` wrote and skips empty lines. Errors say "FILE:LINE: what is wrong".
[[nodiscard]] Result<std::vector<Row>> read_rows(const std::filesystem::path& file);

}  // namespace unlearn::sim::report
