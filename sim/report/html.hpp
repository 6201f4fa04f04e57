#pragma once

#include <string>

/// Pieces of HTML that the reports are made of, in the look of report_style.hpp. Arguments that end in `html`
/// are put in as they are; every other text is escaped.
namespace unlearn::sim::report::html {

/// A whole page that needs nothing else. `more_style` is a style sheet after the common one.
[[nodiscard]] std::string page(const std::string& title, const std::string& body_html,
                               const std::string& more_style = "");

/// A card with a heading.
[[nodiscard]] std::string section(const std::string& title, const std::string& content_html);

/// `attributes_html` begins with a space: " class=\"note\"".
[[nodiscard]] std::string paragraph(const std::string& text, const char* attributes_html = "");

/// A number with its meaning, for the row of them at the top of a page.
[[nodiscard]] std::string tile(const std::string& value, const std::string& meaning);

[[nodiscard]] std::string cell(const std::string& text);

/// `first` of a group of columns: a line to its left.
[[nodiscard]] std::string number_cell(const std::string& text, bool first = false);

[[nodiscard]] std::string row_head(const std::string& text);

/// Scrolls sideways where the screen is narrow.
[[nodiscard]] std::string table(const std::string& head_html, const std::string& rows_html);

}  // namespace unlearn::sim::report::html
