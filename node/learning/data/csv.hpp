#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/learning/data/result.hpp"
#include "node/learning/data/table.hpp"

namespace unlearn::learning {

struct CsvOptions {
    // The column that holds the label: its name in the header, or its number counted from 0.
    std::variant<std::string, std::size_t> label = std::size_t{0};
    // The classes in order. Empty: every label found, sorted (as numbers if all are integers). Set it to the
    // training data's classes when reading test data; a label that is not among them is then an error.
    std::vector<std::string> class_names = {};
    // How one row is to be seen; its size must equal the number of feature columns. Unset: {1, 1, columns}.
    std::optional<InputShape> shape = std::nullopt;
};

// Reads comma-separated numbers with one label column (RFC 4180: fields may be quoted, lines end in LF or
// CRLF). The file may be gzipped. A first line in which a feature is not a number is a header. Features are
// kept as they are; numbers that are not finite, rows of other lengths and empty fields are errors, which
// name file:line:column (the column counts characters from 1).
[[nodiscard]] Result<LabelledData> load_csv(const std::filesystem::path& path, const CsvOptions& options);

}  // namespace unlearn::learning
