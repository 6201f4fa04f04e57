#include "topologies/formats/dot_lexer.hpp"

#include <algorithm>
#include <array>

namespace unlearn::topologies {
namespace {

constexpr std::array<std::string_view, 6> kKeywords = {"node",    "edge",     "graph",
                                                       "digraph", "subgraph", "strict"};
constexpr std::string_view kSigns = "{}[];,:=";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
/// Whether the character is a letter, '_' or not ASCII.
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

void DotLexer::advance() {
    const char c = text_[position_++];
    if (c == '\n') {
        ++line_;
        at_line_start_ = true;
    } else if (c != ' ' && c != '\t' && c != '\r') {
        at_line_start_ = false;
    }
}

Result<void> DotLexer::skip_blanks() {
    while (!at_end()) {
        const char c = peek();
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            advance();
        } else if ((c == '#' && at_line_start_) || (c == '/' && peek(1) == '/')) {
            while (!at_end() && peek() != '\n')
                advance();
        } else if (c == '/' && peek(1) == '*') {
            const std::size_t begin = line_;
            advance();
            advance();
            while (!at_end() && !(peek() == '*' && peek(1) == '/'))
                advance();
            if (at_end()) return builder_.fail(begin, "a comment that begins here never ends");
            advance();
            advance();
        } else {
            return {};
        }
    }
    return {};
}

Result<std::string> DotLexer::quoted() {
    const std::size_t begin = line_;
    std::string out;
    advance();
    while (!at_end() && peek() != '"') {
        // A backslash hides a quote or the end of a line; all other backslashes are kept.
        if (peek() == '\\' && (peek(1) == '"' || peek(1) == '\n')) {
            if (peek(1) == '"') out.push_back('"');
            advance();
            advance();
            continue;
        }
        out.push_back(peek());
        advance();
    }
    if (at_end()) return builder_.fail(begin, "a text in quotes that begins here never ends");
    advance();
    return out;
}

/// Reads <...>, in which every < must have its >.
Result<std::string> DotLexer::html() {
    const std::size_t begin = line_;
    std::string out;
    std::size_t depth = 0;
    do {
        if (at_end()) return builder_.fail(begin, "HTML that begins here never ends");
        depth += peek() == '<' ? 1 : 0;
        depth -= peek() == '>' ? 1 : 0;
        out.push_back(peek());
        advance();
    } while (depth > 0);
    return out;
}

/// Reads a name of letters and digits, or a number.
std::string DotLexer::plain() {
    const bool is_number = !is_letter(peek());
    std::string out;
    bool point = false;
    while (!at_end()) {
        const char c = peek();
        const bool sign = c == '-' && out.empty();
        const bool first_point = c == '.' && !point;
        const bool fits = is_number ? is_digit(c) || sign || first_point : is_letter(c) || is_digit(c);
        if (!fits) break;
        point = point || c == '.';
        out.push_back(c);
        advance();
    }
    return out;
}

/// Reads quoted texts; "a" + "b" is one text.
Result<DotToken> DotLexer::joined_quotes(std::size_t line) {
    DotToken token{DotToken::Kind::id, {}, line};
    for (;;) {
        auto part = quoted();
        if (!part) return tl::unexpected(part.error());
        token.text += *part;
        if (auto skipped = skip_blanks(); !skipped) return tl::unexpected(skipped.error());
        if (peek() != '+') return token;
        advance();
        if (auto skipped = skip_blanks(); !skipped) return tl::unexpected(skipped.error());
        if (peek() != '"') return builder_.fail(line_, "after '+' another text in quotes must follow");
    }
}

Result<DotToken> DotLexer::next() {
    if (auto skipped = skip_blanks(); !skipped) return tl::unexpected(skipped.error());
    const std::size_t line = line_;
    if (at_end()) return DotToken{DotToken::Kind::end, {}, line};
    const char c = peek();
    if (c == '-' && (peek(1) == '-' || peek(1) == '>')) {
        const auto kind = peek(1) == '-' ? DotToken::Kind::line : DotToken::Kind::arrow;
        advance();
        advance();
        return DotToken{kind, kind == DotToken::Kind::line ? "--" : "->", line};
    }
    if (kSigns.find(c) != std::string_view::npos) {
        advance();
        return DotToken{DotToken::Kind::sign, std::string(1, c), line};
    }
    if (c == '"') return joined_quotes(line);
    if (c == '<') {
        auto text = html();
        if (!text) return tl::unexpected(text.error());
        return DotToken{DotToken::Kind::id, std::move(*text), line};
    }
    const bool is_number = is_digit(c) || (c == '.' && is_digit(peek(1))) ||
                           (c == '-' && (is_digit(peek(1)) || (peek(1) == '.' && is_digit(peek(2)))));
    if (!is_letter(c) && !is_number)
        return builder_.fail(line, "'" + printable(std::string(1, c)) + "' is not DOT");
    std::string text = plain();
    if (is_number && is_letter(peek()))
        return builder_.fail(line, "'" + printable(text + plain()) +
                                       "' begins with a digit and goes on with letters; put it in quotes");
    std::string word = text;
    std::transform(word.begin(), word.end(), word.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    });
    if (std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end())
        return DotToken{DotToken::Kind::keyword, word, line};
    return DotToken{DotToken::Kind::id, std::move(text), line};
}

}  // namespace unlearn::topologies
