#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "node/learning/data/csv_scanner.hpp"
#include "node/learning/data/result.hpp"

/// How numbers are written in a CSV file: the separator of fields and the decimal sign. Both are detected
/// from the file, because spreadsheets of different countries write different ones.
namespace unlearn::learning {

/// What users call the separators, in the order in which they are tried.
inline constexpr std::array<std::string_view, 4> kSeparatorNames = {",", ";", "tab", "|"};
inline constexpr std::array<char, 4> kSeparators = {',', ';', '\t', '|'};
/// What users call the decimal signs.
inline constexpr std::array<std::string_view, 2> kDecimalNames = {".", ","};
inline constexpr std::array<char, 2> kDecimals = {'.', ','};

/// The user's choice for a file that can be read in two ways. It is ignored for a file that can be read in
/// only one.
struct CsvFormat {
    std::optional<char> separator = std::nullopt;
    std::optional<char> decimal = std::nullopt;
};

/// Says that a table has no label column.
struct NoLabel {
    friend bool operator==(const NoLabel&, const NoLabel&) = default;
};
/// The column that holds the label: its name in the header, its number counted from 0, or none.
using LabelColumn = std::variant<std::string, std::size_t, NoLabel>;

/// Where the rows of a CSV text begin, and what separates their fields.
struct CsvLayout {
    char separator = ',';
    std::size_t begin = 0;       ///< offset of the rows in the text, after a spreadsheet's line "sep=;"
    std::size_t first_line = 1;  ///< the line number of the first row
};

/// Returns the layout that a first line "sep=;" states, or nothing without one. Spreadsheets write and read
/// such a line.
[[nodiscard]] std::optional<CsvLayout> stated_layout(std::string_view text);

/// Finds the separator with which the first rows of `text` have equally many fields, all of them numbers
/// apart from the label. If there is none, because a row is broken, returns the separator in `given`, or else
/// the likeliest. Fails if a label is needed and nothing separates fields.
[[nodiscard]] Result<CsvLayout> find_layout(std::string_view name, std::string_view text,
                                            const CsvFormat& given, const LabelColumn& label);

/// Reads the numbers of one file. Its decimal sign is known only at the end of the file.
class CsvNumbers {
  public:
    /// Returns the field as a finite float32, or nothing if it is not one.
    [[nodiscard]] std::optional<float> read(const CsvField& field);
    /// Call this after the last number. Fails, with places, if points and commas are mixed, or if all commas
    /// could be thousands separators and `given` does not decide.
    [[nodiscard]] Result<void> check_decimal(std::string_view name, std::optional<char> given) const;

  private:
    [[nodiscard]] std::optional<float> read_with_comma(const CsvField& field);

    std::optional<CsvField> point_;          ///< the first number with a point
    std::optional<CsvField> comma_;          ///< the first number with a comma
    std::optional<CsvField> decimal_comma_;  ///< the first number whose comma cannot separate thousands
};

}  // namespace unlearn::learning
