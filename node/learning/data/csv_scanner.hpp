#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "node/learning/data/result.hpp"

namespace unlearn::learning {

/// One field of a row, and where it begins.
struct CsvField {
    std::string text;
    std::size_t line = 0;
    std::size_t column = 0;  ///< the place of its first character in the line, from 1
};
using CsvRow = std::vector<CsvField>;

/// Returns "NAME:LINE:COLUMN: ", the place of a field as errors name it.
[[nodiscard]] std::string place_of(std::string_view name, const CsvField& field);

/// Cuts a text into rows of fields, one row at a time (RFC 4180, with any separator). Fields may be quoted,
/// and blanks around them are ignored. Lines end in LF.
class CsvScanner {
  public:
    /// `text` must outlive the scanner. Errors call it `name`, and `first_line` is the number of its first
    /// line.
    CsvScanner(std::string_view name, std::string_view text, char separator, std::size_t first_line = 1)
        : name_(name), text_(text), separator_(separator), line_(first_line) {}

    /// Returns the next row that is not blank, or an empty row at the end of the text. Fails with the place
    /// of the error.
    [[nodiscard]] Result<CsvRow> next_row();

  private:
    [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
    [[nodiscard]] char peek() const { return text_[position_]; }
    [[nodiscard]] bool at_field_end() const { return at_end() || peek() == separator_ || peek() == '\n'; }
    [[nodiscard]] bool at_blank() const;
    [[nodiscard]] tl::unexpected<Error> error_here(const std::string& what) const;
    void advance();
    [[nodiscard]] Result<CsvField> next_field();
    [[nodiscard]] Result<CsvField> quoted_field(CsvField field);

    std::string name_;
    std::string_view text_;
    char separator_;
    std::size_t position_ = 0;
    std::size_t line_;
    std::size_t column_ = 1;
};

}  // namespace unlearn::learning
