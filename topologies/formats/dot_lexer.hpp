#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "topologies/formats/graph_builder.hpp"

namespace unlearn::topologies {

/// A token of the DOT language.
struct DotToken {
    enum class Kind {
        end,
        id,       ///< a name: plain, a number, in quotes, or HTML; `text` is its value
        keyword,  ///< node, edge, graph, digraph, subgraph or strict, in lower case
        line,     ///< --
        arrow,    ///< ->
        sign      ///< one of { } [ ] ; , : =, in `text`
    };
    Kind kind = Kind::end;
    std::string text;
    std::size_t line = 0;

    [[nodiscard]] bool is(Kind other) const { return kind == other; }
    [[nodiscard]] bool is_sign(char sign) const { return kind == Kind::sign && text[0] == sign; }
    [[nodiscard]] bool is_keyword(std::string_view word) const {
        return kind == Kind::keyword && text == word;
    }
};

/// Splits DOT into tokens (graphviz.org/doc/info/lang.html), without comments and preprocessor lines.
class DotLexer {
  public:
    /// `text` and `builder` must outlive the lexer. The builder makes the errors.
    DotLexer(std::string_view text, const GraphBuilder& builder) : text_(text), builder_(builder) {}

    [[nodiscard]] Result<DotToken> next();

  private:
    [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
    }
    void advance();
    [[nodiscard]] Result<void> skip_blanks();
    [[nodiscard]] Result<std::string> quoted();
    [[nodiscard]] Result<std::string> html();
    [[nodiscard]] std::string plain();
    [[nodiscard]] Result<DotToken> joined_quotes(std::size_t line);

    std::string_view text_;
    const GraphBuilder& builder_;
    std::size_t position_ = 0;
    std::size_t line_ = 1;
    bool at_line_start_ = true;  ///< whether this line has had only blanks so far
};

}  // namespace unlearn::topologies
