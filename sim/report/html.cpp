#include "sim/report/html.hpp"

#include <spdlog/fmt/fmt.h>

#include "sim/report/style.hpp"
#include "sim/report/text.hpp"

namespace unlearn::sim::report::html {

std::string page(const std::string& title, const std::string& body_html, const std::string& more_style) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
        escape_html(title), kReportStyle, more_style, body_html);
}

std::string section(const std::string& title, const std::string& content_html) {
    return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escape_html(title), content_html);
}

std::string paragraph(const std::string& text, const char* attributes_html) {
    return fmt::format("<p{}>{}</p>\n", attributes_html, escape_html(text));
}

std::string tile(const std::string& value, const std::string& meaning) {
    return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", escape_html(value),
                       escape_html(meaning));
}

std::string cell(const std::string& text) {
    return "<td>" + escape_html(text) + "</td>";
}

std::string number_cell(const std::string& text, bool first) {
    return fmt::format("<td class=\"number{}\">{}</td>", first ? " first" : "", escape_html(text));
}

std::string row_head(const std::string& text) {
    return "<th scope=\"row\">" + escape_html(text) + "</th>";
}

std::string table(const std::string& head_html, const std::string& rows_html) {
    return "<div class=\"scroll\"><table>\n<thead>" + head_html + "</thead>\n<tbody>\n" + rows_html +
           "</tbody></table></div>\n";
}

}  // namespace unlearn::sim::report::html
