#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "node/learning/data/csv_scanner.hpp"
#include "node/learning/data/result.hpp"

/// How numbers stand in a CSV file: what separates fields, and what the decimal sign is. Both are found out
/// from the file, because spreadsheets of different countries write different ones.
namespace unlearn::learning {

/// What users call the separators, in the order in which they are tried.
inline constexpr std::array<std::string_view, 4> kSeparatorNames = {",", ";", "tab", "|"};
inline constexpr std::array<char, 4> kSeparators = {',', ';', '\t', '|'};
/// What users call the decimal signs.
inline constexpr std::array<std::string_view, 2> kDecimalNames = {".", ","};
inline constexpr std::array<char, 2> kDecimals = {'.', ','};

/// Decides where a file can be read in two ways. A file that can be read in one way only is read in that way.
struct CsvFormat {
    std::optional<char> separator = std::nullopt;
    std::optional<char> decimal = std::nullopt;
};

struct NoLabel {
    friend bool operator==(const NoLabel&, const NoLabel&) = default;
};
/// The column that holds the label: its name in the header, its number counted from 0, or none.
using LabelColumn = std::variant<std::string, std::size_t, NoLabel>;

/// Where the rows of a CSV text begin, and what separates their fields.
struct CsvLayout {
    char separator = ',';
    std::size_t begin = 0;  ///< of the rows in the text; what stands before is "sep=;" as of spreadsheets
    std::size_t first_line = 1;
};

/// Spreadsheets write and read a first line "sep=;". @return what it says; nothing when there is none
[[nodiscard]] std::optional<CsvLayout> told_layout(std::string_view text);

/// Finds the separator with which the first rows of `text` are numbers in equally many fields, the label
/// aside. Where none does that, because a row is broken, it is the one that `given` says, or else the
/// likeliest. Fails when nothing at all separates fields.
[[nodiscard]] Result<CsvLayout> find_layout(std::string_view name, std::string_view text,
                                            const CsvFormat& given, const LabelColumn& label);

/// Reads the numbers of one file. Until the end of the file its decimal sign may be either.
class CsvNumbers {
  public:
    /// A finite float32, or nothing.
    [[nodiscard]] std::optional<float> read(const CsvField& field);
    /// To be asked after the last number: fails, with places, when points and commas are mixed, or when all
    /// commas could be thousands separators and `given` does not decide.
    [[nodiscard]] Result<void> check_decimal(std::string_view name, std::optional<char> given) const;

  private:
    [[nodiscard]] std::optional<float> read_with_comma(const CsvField& field);

    std::optional<CsvField> point_;          ///< the first number with a point
    std::optional<CsvField> comma_;          ///< the first number with a comma
    std::optional<CsvField> decimal_comma_;  ///< the first whose comma cannot separate thousands
};

}  // namespace unlearn::learning
