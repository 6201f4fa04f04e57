#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/learning/data/columns.hpp"
#include "node/learning/data/csv_format.hpp"
#include "node/learning/data/result.hpp"
#include "node/learning/data/table.hpp"

namespace unlearn::learning {

/// How a CSV file is read.
struct CsvOptions {
    LabelColumn label = std::size_t{0};
    /// Ignores the label column, which may also be missing. `labels` and `class_names` then stay empty.
    bool skip_label = false;
    /// The classes in order. If empty: every label found, sorted (as numbers if all are integers). Set it to
    /// the training data's classes when reading test data; a label that is not among them is then an error.
    std::vector<std::string> class_names = {};
    /// The shape of one row; its size must equal the number of feature columns. If unset: {1, 1, columns}.
    std::optional<InputShape> shape = std::nullopt;
    /// The feature columns. They are matched by the names in the header, whatever their order in the file. A
    /// file without a header is read in its own order; its label, if it has one, must then be given by its
    /// number.
    WantedColumns columns = {};
    CsvFormat format = {};
};

/// Reads a table of numbers with one label column or none (RFC 4180: fields may be quoted). The file may be
/// gzipped; text_file.hpp lists the encodings, and csv_format.hpp the separators and decimal signs. The first
/// line is a header if one of its features is not a number, or if its fields are the wanted columns. Features
/// are not scaled.
///
/// Fails with "FILE:LINE:COLUMN: ..." (the column counts characters from 1) for numbers that are not finite,
/// rows of different lengths, empty fields, and columns other than the wanted ones.
[[nodiscard]] Result<LabelledData> load_csv(const std::filesystem::path& path, const CsvOptions& options);

/// Reads the same from a text that decode_text() returned. Errors call the text `name`.
[[nodiscard]] Result<LabelledData> parse_csv(std::string_view name, std::string_view text,
                                             const CsvOptions& options);

/// Whether the first line has a field of this name with any of the separators. A line "sep=;" above it does
/// not count.
[[nodiscard]] bool header_names(std::string_view text, std::string_view column);

}  // namespace unlearn::learning
