#include "node/learning/data/csv_scanner.hpp"

namespace unlearn::learning {
namespace {

constexpr std::size_t kMaxFields = 1'000'000;

void trim(std::string& text) {
    constexpr std::string_view kBlank = " \t";
    text.erase(text.find_last_not_of(kBlank) + 1);
    text.erase(0, text.find_first_not_of(kBlank));
}

}  // namespace

std::string place_of(std::string_view name, const CsvField& field) {
    return std::string(name) + ":" + std::to_string(field.line) + ":" + std::to_string(field.column) + ": ";
}

Result<CsvRow> CsvScanner::next_row() {
    while (!at_end() && peek() == '\n')
        advance();
    CsvRow row;
    while (!at_end()) {
        auto field = next_field();
        if (!field) return tl::unexpected(field.error());
        row.push_back(std::move(*field));
        if (row.size() > kMaxFields) return error_here("too many fields");
        if (at_end()) break;
        const bool more = peek() == separator_;
        advance();
        if (!more) break;
        if (at_end()) row.push_back({"", line_, column_});  // the last character of the file is a separator
    }
    return row;
}

bool CsvScanner::at_blank() const {
    return !at_field_end() && (peek() == ' ' || peek() == '\t');
}

void CsvScanner::advance() {
    if (peek() == '\n') {
        ++line_;
        column_ = 1;
    } else {
        ++column_;
    }
    ++position_;
}

tl::unexpected<Error> CsvScanner::error_here(const std::string& what) const {
    return fail(place_of(name_, {"", line_, column_}) + what);
}

// Stops at the separator or line feed that ends the field.
Result<CsvField> CsvScanner::next_field() {
    while (at_blank())
        advance();
    CsvField field{"", line_, column_};
    if (!at_end() && peek() == '"') return quoted_field(std::move(field));
    while (!at_field_end()) {
        if (peek() == '"') return error_here("a quote inside a field that is not quoted");
        field.text.push_back(peek());
        advance();
    }
    trim(field.text);
    return field;
}

Result<CsvField> CsvScanner::quoted_field(CsvField field) {
    advance();
    for (;;) {
        if (at_end()) return fail(place_of(name_, field) + "a quoted field never ends");
        const char character = peek();
        advance();
        if (character != '"') {
            field.text.push_back(character);
        } else if (!at_end() && peek() == '"') {
            field.text.push_back('"');
            advance();
        } else {
            break;
        }
    }
    while (at_blank())
        advance();
    if (!at_field_end()) return error_here("text after a quoted field");
    return field;
}

}  // namespace unlearn::learning
