#pragma once

#include <string>

/// The HTML elements that the reports are made of, styled by style.hpp. Arguments whose names end in `html`
/// are inserted as they are. All other text is escaped.
namespace unlearn::sim::report::html {

/// Returns a whole self-contained page. `more_style` is a style sheet that follows the common one.
[[nodiscard]] std::string page(const std::string& title, const std::string& body_html,
                               const std::string& more_style = "");

/// Returns a card with a heading.
[[nodiscard]] std::string section(const std::string& title, const std::string& content_html);

/// Returns a paragraph. `attributes_html` begins with a space: " class=\"note\"".
[[nodiscard]] std::string paragraph(const std::string& text, const char* attributes_html = "");

/// Returns a tile that shows a number and its meaning. Tiles form the row at the top of a page.
[[nodiscard]] std::string tile(const std::string& value, const std::string& meaning);

/// Returns a table cell with text.
[[nodiscard]] std::string cell(const std::string& text);

/// Returns a table cell with a number. `first` marks the first of a group of columns with a line to its left.
[[nodiscard]] std::string number_cell(const std::string& text, bool first = false);

/// Returns the head cell of a table row.
[[nodiscard]] std::string row_head(const std::string& text);

/// Returns a table that scrolls sideways on narrow screens.
[[nodiscard]] std::string table(const std::string& head_html, const std::string& rows_html);

}  // namespace unlearn::sim::report::html
