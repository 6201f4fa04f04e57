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

struct CsvOptions {
    LabelColumn label = std::size_t{0};
    /// The column with the label, which may be missing, is passed over: `labels` and `class_names` stay
    /// empty.
    bool skip_label = false;
    /// The classes in order. Empty: every label found, sorted (as numbers if all are integers). Set it to the
    /// training data's classes when reading test data; a label that is not among them is then an error.
    std::vector<std::string> class_names = {};
    /// How one row is to be seen; its size must equal the number of feature columns. Unset: {1, 1, columns}.
    std::optional<InputShape> shape = std::nullopt;
    /// The feature columns, matched by the names in the header whatever their order in the file. A file
    /// without a header, which only a label given by its number allows, is read in its own order.
    WantedColumns columns = {};
    CsvFormat format = {};
};

/// Reads numbers with one label column, or none (RFC 4180: fields may be quoted). The file may be gzipped;
/// text_file.hpp says which encodings and csv_format.hpp which separators and decimal signs are read. A first
/// line in which a feature is not a number, or whose fields are the wanted columns, is a header. Features are
/// kept as they are.
///
/// Fails with "FILE:LINE:COLUMN: ..." (the column counts characters from 1) for numbers that are not finite,
/// rows of other lengths and empty fields, and for columns that are not those that are wanted.
[[nodiscard]] Result<LabelledData> load_csv(const std::filesystem::path& path, const CsvOptions& options);

/// The same from a text that decode_text() gave. `name` is what errors call it.
[[nodiscard]] Result<LabelledData> parse_csv(std::string_view name, std::string_view text,
                                             const CsvOptions& options);

/// Whether the first line has a field of this name, whatever separates its fields. A line "sep=;" above it
/// does not count.
[[nodiscard]] bool header_names(std::string_view text, std::string_view column);

}  // namespace unlearn::learning
