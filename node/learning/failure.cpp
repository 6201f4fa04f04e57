#include "node/learning/failure.hpp"

#include <algorithm>
#include <new>
#include <string_view>

#include <c10/util/Exception.h>

namespace unlearn::learning {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string_view last_line(std::string_view text) {
    text = trimmed(text);
    const auto end = text.rfind('\n');
    return trimmed(end == std::string_view::npos ? text : text.substr(end + 1));
}

/// Returns the line in which Python or TorchScript names an error ("ValueError: ..."), or else the last line.
std::string_view error_line(std::string_view text) {
    const std::string_view last = last_line(text);
    while (!trimmed(text).empty()) {
        const std::string_view line = last_line(text);
        const auto colon = line.find(": ");
        const std::string_view kind = line.substr(0, colon == std::string_view::npos ? 0 : colon);
        if (kind.find(' ') == std::string_view::npos &&
            (kind.ends_with("Error") || kind.ends_with("Exception")))
            return line;
        text = text.substr(0, static_cast<std::size_t>(line.data() - text.data()));
    }
    return last;
}

std::string_view first_line(std::string_view text) {
    text = trimmed(text);
    return trimmed(text.substr(0, text.find('\n')));
}

}  // namespace

std::string cause_of(const std::exception& error) {
    constexpr std::size_t kLongest = 300;
    constexpr std::string_view kTraceback = "Traceback of TorchScript";
    if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return "not enough memory";
    std::string whole = error.what();
    if (const auto* torch_error = dynamic_cast<const c10::Error*>(&error))
        whole = torch_error->what_without_backtrace();
    const bool is_traceback = whole.find(kTraceback) != std::string::npos;
    std::string line(is_traceback ? error_line(whole) : first_line(whole));
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; },
        '?');
    if (line.size() > kLongest) line = line.substr(0, kLongest) + "...";
    return line.empty() ? "an error without a message" : line;
}

}  // namespace unlearn::learning
