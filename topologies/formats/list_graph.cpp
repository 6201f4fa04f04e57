#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "topologies/formats/graph_text.hpp"
#include "topologies/formats/readers.hpp"

// Lists of edges and of neighbours, one per line.
namespace unlearn::topologies {
namespace {

constexpr std::size_t kMaxLineLength = 1 << 20;
constexpr std::string_view kDeclaration = "node";

struct Line {
    std::size_t number = 0;
    std::vector<std::string> words;
    std::string comment;  ///< only if the line holds nothing else
};

bool is_digits(std::string_view word) {
    return !word.empty() &&
           std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_number(const std::string& word) {
    char* end = nullptr;
    return std::isfinite(std::strtod(word.c_str(), &end)) && *end == '\0';
}

/// Names contain none of these characters, so each may separate names.
constexpr std::string_view kSeparators = " \t\r,;|";

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (true) {
        const auto begin = text.find_first_not_of(kSeparators);
        if (begin == std::string_view::npos) return words;
        text.remove_prefix(begin);
        const auto end = std::min(text.find_first_of(kSeparators), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

/// Takes the lines of a text one after the other. Lines end in LF, CRLF or CR.
class Lines {
  public:
    Lines(std::string_view text, const GraphBuilder& builder) : text_(text), builder_(builder) {}

    /// Returns the next line that holds words or a comment, or nothing at the end.
    Result<std::optional<Line>> next() {
        while (!text_.empty()) {
            const auto end = std::min(text_.find_first_of("\r\n"), text_.size());
            const std::string_view raw = text_.substr(0, end);
            const bool both = text_.substr(end).starts_with("\r\n");
            text_.remove_prefix(std::min(text_.size(), end + (both ? 2 : 1)));
            ++number_;
            if (raw.size() > kMaxLineLength)
                return builder_.fail(number_,
                                     "is too long for a list of edges or neighbours; is this the "
                                     "right file?");
            // networkx writes the data of an edge after it: a b {'weight': 2}
            const auto mark = raw.find_first_of("#%{");
            if (auto fits = check_first(raw); !fits) return tl::unexpected(fits.error());
            Line line{number_, words_of(raw.substr(0, mark)), {}};
            if (line.words.empty() && mark != std::string_view::npos && raw[mark] != '{')
                line.comment = raw.substr(mark);
            if (!line.words.empty() || !line.comment.empty()) return line;
        }
        return std::nullopt;
    }

  private:
    /// Detects other formats by a beginning that no line of a list has.
    [[nodiscard]] Result<void> check_first(std::string_view line) const {
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        if (line.starts_with('{'))
            return builder_.fail(number_,
                                 "is not a line of a list: is it JSON or DOT? Say which format it is");
        if (line.starts_with('<'))
            return builder_.fail(number_, "is not a line of a list: is it XML? Say which format it is");
        if (line.starts_with(',') || line.starts_with(';') || line.starts_with('|'))
            return builder_.fail(number_,
                                 "the first column has no name: leave out row numbers, such as those of "
                                 "pandas; a matrix is not read");
        return {};
    }

    std::string_view text_;
    const GraphBuilder& builder_;
    std::size_t number_ = 0;
};

/// Returns why a comment at the top of a file excludes it. Collections state there what the file is:
/// "# Directed graph" (SNAP), "% asym unweighted" (KONECT).
std::optional<std::string> refused_by_comment(const std::string& comment) {
    const auto words =
        words_of(lower_case(comment.substr(std::min(comment.find_first_not_of("#% "), comment.size()))));
    const auto has = [&](std::size_t at, std::string_view word) {
        return words.size() > at && words[at] == word;
    };
    if (comment.starts_with("%%MatrixMarket")) return "is a Matrix Market file, which is not read";
    if (has(0, "directed") && (has(1, "graph") || has(1, "graph:")))
        return "the graph is directed, as this line says";
    if (comment.starts_with("%") && has(0, "asym")) return "the graph is directed, as this line says (asym)";
    if (comment.starts_with("%") && has(0, "bip"))
        return "the graph is bipartite, as this line says (bip): equal numbers on its sides mean different "
               "nodes";
    return std::nullopt;
}

/// Whether the words are the names that tables of edges give to their first two columns.
bool is_table_header(const std::vector<std::string>& words) {
    constexpr std::array<std::array<std::string_view, 2>, 9> kHeaders{{{"source", "target"},
                                                                       {"from", "to"},
                                                                       {"src", "dst"},
                                                                       {"src", "dest"},
                                                                       {"u", "v"},
                                                                       {"node1", "node2"},
                                                                       {"node_1", "node_2"},
                                                                       {"id_1", "id_2"},
                                                                       {"fromnodeid", "tonodeid"}}};
    return words.size() >= 2 && std::any_of(kHeaders.begin(), kHeaders.end(), [&](const auto& header) {
               return lower_case(words[0]) == header[0] && lower_case(words[1]) == header[1];
           });
}

/// Reads an edge list, and detects files that only look like one.
class EdgeListReader {
  public:
    EdgeListReader(GraphBuilder& builder, bool certain) : builder_(builder), certain_(certain) {}

    Result<void> take(const Line& line) {
        const auto& words = line.words;
        if (words.empty()) return take_comment(line);
        const bool first = !std::exchange(begun_, true);
        if (words[0] == kDeclaration && words.size() == 2) {
            declares_ = true;
            return builder_.declare(words[1], line.number);
        }
        if (first && words.size() == 1 && is_digits(words[0])) {
            node_count_ = words[0];
            count_line_ = line.number;
            return {};
        }
        if (first && is_table_header(words)) {
            header_ = line;
            return {};
        }
        const bool weighted = words.size() == 3 && is_number(words[2]);
        if (words.size() != 2 && !weighted)
            return builder_.fail(line.number, "expected 'NAME NAME' for an edge or 'node NAME', found " +
                                                  std::to_string(words.size()) +
                                                  (words.size() == 1 ? " word" : " words") + hint(words));
        may_be_matrix_ = may_be_matrix_ && words.size() == 3 && are_bits(words);
        if (first)
            first_edge_ = line;
        else
            note_again(words);
        note_neighbours(words);
        ++edge_lines_;
        return builder_.link(words[0], words[1], line.number);
    }

    Result<Graph> finish() {
        if (auto clear = check_header(); !clear) return tl::unexpected(clear.error());
        if (auto clear = check_neighbours(); !clear) return tl::unexpected(clear.error());
        if (!certain_ && may_be_matrix_ && edge_lines_ == 3)
            return builder_.fail(
                first_edge_ ? first_edge_->number : 0,
                "three lines of three zeros and ones look like an adjacency matrix, which is "
                "not read");
        if (auto clear = check_first_edge(); !clear) return tl::unexpected(clear.error());
        if (node_count_ && builder_.size() == 0)
            return builder_.fail(count_line_, "the graph is empty: no edge follows the number of nodes");
        if (node_count_ && *node_count_ != std::to_string(builder_.size()))
            return builder_.fail(count_line_, "says that there are " + printable(*node_count_) +
                                                  " nodes, and the edges name " +
                                                  std::to_string(builder_.size()));
        return builder_.finish();
    }

  private:
    Result<void> take_comment(const Line& line) {
        if (begun_) return {};
        if (const auto refused = refused_by_comment(line.comment))
            return builder_.fail(line.number, *refused);
        return {};
    }

    [[nodiscard]] static bool are_bits(const std::vector<std::string>& words) {
        return std::all_of(words.begin(), words.end(),
                           [](const auto& word) { return word == "0" || word == "1"; });
    }

    /// Returns a guess at what a line with the wrong number of words is.
    [[nodiscard]] std::string hint(const std::vector<std::string>& words) const {
        if (header_) return "; leave out all columns but the two nodes and a weight";
        if (words[0] == "graph" || words[0] == "digraph" || words[0] == "strict")
            return "; is it DOT? Say which format it is";
        if (words.size() > 2 && are_bits(words)) return "; an adjacency matrix is not read";
        return "; is it an adjacency list (adjlist)?";
    }

    /// The header's words are not nodes, so they must not appear again.
    Result<void> check_header() const {
        if (!header_) return {};
        for (std::size_t i = 0; i < 2; ++i)
            if (builder_.knows(header_->words[i]))
                return builder_.fail(header_->number,
                                     "'" + header_->words[i] +
                                         "' may be a node or the name of a column; declare the nodes ('node "
                                         "NAME'), or leave this line out");
        return {};
    }

    /// Records whether all lines so far could be lists of two neighbours each.
    void note_neighbours(const std::vector<std::string>& words) {
        may_be_neighbours_ = may_be_neighbours_ && words.size() == 3 && words[2] != words[0] &&
                             words[2] != words[1] && firsts_.insert(words[0]).second;
        if (may_be_neighbours_)
            thirds_.push_back(words[2]);
        else
            firsts_.clear();
    }

    /// A line "0 1 4" may be an edge with a weight, or a node with two neighbours.
    Result<void> check_neighbours() const {
        const bool all_are_nodes = std::all_of(thirds_.begin(), thirds_.end(),
                                               [&](const auto& third) { return firsts_.contains(third); });
        if (certain_ || !may_be_neighbours_ || thirds_.empty() || !all_are_nodes) return {};
        return builder_.fail(
            first_edge_ ? first_edge_->number : 0,
            "the third numbers may be weights, or neighbours of an adjacency list; say which "
            "format it is (edges or adjlist)");
    }

    /// Records which nodes of the first edge appear again.
    void note_again(const std::vector<std::string>& words) {
        if (!first_edge_) return;
        for (std::size_t i = 0; i < 2; ++i)
            if (words[i] == first_edge_->words[0] || words[i] == first_edge_->words[1])
                mentioned_again_.insert(words[i]);
    }

    /// A first line "5 6" may be an edge, or the numbers of nodes and edges.
    Result<void> check_first_edge() const {
        if (declares_ || !first_edge_ || first_edge_->words.size() != 2 ||
            !is_digits(first_edge_->words[0]) || !is_digits(first_edge_->words[1]))
            return {};
        std::size_t others = builder_.size();
        for (NodeIndex node = 0; node < std::min<std::size_t>(2, builder_.size()); ++node)
            others -= mentioned_again_.contains(builder_.name_of(node)) ? 0 : 1;
        if (first_edge_->words[0] != std::to_string(others) ||
            first_edge_->words[1] != std::to_string(edge_lines_ - 1))
            return {};
        return builder_.fail(
            first_edge_->number,
            "'" + first_edge_->words[0] + " " + first_edge_->words[1] +
                "' may be an edge, or the numbers of nodes and edges; leave it out, or declare "
                "the nodes ('node NAME')");
    }

    GraphBuilder& builder_;
    bool certain_;
    bool begun_ = false;
    bool declares_ = false;
    std::optional<std::string> node_count_;
    std::size_t count_line_ = 0;
    std::optional<Line> header_;
    std::optional<Line> first_edge_;
    std::size_t edge_lines_ = 0;
    std::set<std::string> mentioned_again_;  ///< the nodes of the first edge that appear again
    bool may_be_matrix_ = true;
    bool may_be_neighbours_ = true;
    std::unordered_set<std::string> firsts_;
    std::vector<std::string> thirds_;
};

}  // namespace

Result<Graph> read_edge_list(std::string_view text, GraphBuilder& builder, bool certain) {
    EdgeListReader reader(builder, certain);
    Lines lines(text, builder);
    for (;;) {
        const auto line = lines.next();
        if (!line) return tl::unexpected(line.error());
        if (!*line) return reader.finish();
        if (auto taken = reader.take(**line); !taken) return tl::unexpected(taken.error());
    }
}

Result<Graph> read_adjacency_list(std::string_view text, GraphBuilder& builder) {
    std::vector<Line> rows;
    Lines lines(text, builder);
    for (;;) {
        auto line = lines.next();
        if (!line) return tl::unexpected(line.error());
        if (!*line) break;
        if ((*line)->words.empty()) continue;
        // Every node has a line, and the lines give the order of the nodes.
        if (auto added = builder.declare((*line)->words.front(), (*line)->number); !added)
            return tl::unexpected(added.error());
        rows.push_back(std::move(**line));
    }
    for (const Line& row : rows)
        for (std::size_t i = 1; i < row.words.size(); ++i) {
            if (!builder.knows(row.words[i]))
                return builder.fail(row.number, "'" + printable(row.words.front()) + "' is linked to '" +
                                                    printable(row.words[i]) + "', which has no line");
            if (auto added = builder.link(row.words.front(), row.words[i], row.number); !added)
                return tl::unexpected(added.error());
        }
    return builder.finish();
}

}  // namespace unlearn::topologies
