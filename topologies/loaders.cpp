#include "topologies/loaders.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unordered_map>

namespace unlearn::topologies {
namespace {

/// What a file may hold at most, so that a wrong file is an answer and not an exhausted memory.
constexpr std::size_t kMaxLines = 50'000'000;
constexpr std::size_t kMaxLineLength = 4096;

constexpr std::string_view kDeclaration = "node";

/// Without comments, and without the data that networkx writes behind an edge: `a b {'weight': 2}`.
std::vector<std::string> words_of(std::string line) {
    line.resize(std::min({line.size(), line.find('#'), line.find('{')}));
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

bool is_number(const std::string& word) {
    char* end = nullptr;
    return std::isfinite(std::strtod(word.c_str(), &end)) && *end == '\0';
}

/// Builds a graph from lines, each complaint naming its line.
class EdgeListReader {
  public:
    explicit EdgeListReader(std::string_view file_name) : file_name_(file_name) {}

    Result<void> read(const std::vector<std::string>& words, std::size_t line) {
        if (words.empty()) return {};
        const bool declaration = words[0] == kDeclaration;
        const bool weighted = !declaration && words.size() == 3 && is_number(words[2]);
        if (words.size() != 2 && !weighted) {
            return fail(line, "expected 'NAME NAME' for an edge or 'node NAME', found " +
                                  std::to_string(words.size()) + (words.size() == 1 ? " word" : " words") +
                                  "; is it an adjacency list (adjlist)?");
        }
        for (std::size_t i = declaration ? 1 : 0; i < 2; ++i) {
            if (!is_valid_node_name(words[i])) return fail(line, bad_node_name(words[i]));
        }
        return declaration ? declare(words[1], line) : link(words[0], words[1], line);
    }

    Result<Graph> finish() {
        if (names_.empty()) return fail(0, "the graph is empty: no line declares a node or an edge");
        if (any_declared_) {
            const auto undeclared =
                std::find_if(seen_.begin(), seen_.end(), [](const Seen& s) { return !s.declared; });
            if (undeclared != seen_.end()) {
                return fail(undeclared->line,
                            "node '" + names_[static_cast<std::size_t>(undeclared - seen_.begin())] +
                                "' is not declared, and this file declares its nodes");
            }
        }
        auto graph = make_graph(in_declared_order(), std::move(edges_));
        if (!graph) return fail(0, graph.error().message);
        if (const auto unreachable = graph->first_unreachable()) {
            const std::string& name = graph->names[*unreachable];
            return fail(seen_[index_.at(name)].line, "the graph is not connected: '" + name +
                                                         "' cannot be reached from '" + graph->names.front() +
                                                         "'");
        }
        return graph;
    }

  private:
    struct Seen {
        std::size_t line = 0;
        bool declared = false;
        NodeIndex order = 0;  ///< among the declared ones
    };

    [[nodiscard]] tl::unexpected<Error> fail(std::size_t line, const std::string& message) const {
        const std::string where = line == 0 ? file_name_ : file_name_ + ":" + std::to_string(line);
        return tl::unexpected(Error{where + ": " + message});
    }

    NodeIndex index_of(const std::string& name, std::size_t line) {
        const auto [entry, added] = index_.emplace(name, static_cast<NodeIndex>(names_.size()));
        if (added) {
            names_.push_back(name);
            seen_.push_back({line, false, 0});
        }
        return entry->second;
    }

    Result<void> declare(const std::string& name, std::size_t line) {
        Seen& seen = seen_[index_of(name, line)];
        if (seen.declared) {
            return fail(line,
                        "node '" + name + "' is declared twice; first on line " + std::to_string(seen.line));
        }
        any_declared_ = true;
        seen = {line, true, declared_++};
        return {};
    }

    Result<void> link(const std::string& first, const std::string& second, std::size_t line) {
        if (first == second) return fail(line, "node '" + first + "' is linked to itself");
        NodeIndex a = index_of(first, line);
        NodeIndex b = index_of(second, line);
        if (a > b) std::swap(a, b);
        const auto [entry, added] = edge_lines_.emplace((std::uint64_t{a} << 32) | b, line);
        if (!added) {
            return fail(line, "the edge '" + first + " " + second + "' is given twice; first on line " +
                                  std::to_string(entry->second));
        }
        edges_.emplace_back(a, b);
        return {};
    }

    /// Moves the nodes of a declaring file into the order of their declarations. Edges may come before them.
    std::vector<std::string> in_declared_order() {
        if (!any_declared_) return names_;
        std::vector<std::string> names(names_.size());
        for (std::size_t i = 0; i < names_.size(); ++i)
            names[seen_[i].order] = names_[i];
        for (auto& [a, b] : edges_) {
            a = seen_[a].order;
            b = seen_[b].order;
        }
        return names;
    }

    std::string file_name_;
    std::vector<std::string> names_;
    std::vector<Seen> seen_;  ///< beside names_
    std::unordered_map<std::string, NodeIndex> index_;
    std::unordered_map<std::uint64_t, std::size_t> edge_lines_;
    std::vector<Edge> edges_;
    bool any_declared_ = false;
    NodeIndex declared_ = 0;
};

}  // namespace

Result<Graph> parse_edge_list(std::istream& input, std::string_view file_name) {
    EdgeListReader reader(file_name);
    std::string line;
    for (std::size_t number = 1; std::getline(input, line); ++number) {
        if (number > kMaxLines || line.size() > kMaxLineLength) {
            return tl::unexpected(Error{std::string(file_name) + ":" + std::to_string(number) +
                                        ": too long for an edge list; is this the right file?"});
        }
        if (auto read = reader.read(words_of(line), number); !read) return tl::unexpected(read.error());
    }
    if (input.bad()) return tl::unexpected(Error{std::string(file_name) + ": cannot be read to its end"});
    return reader.finish();
}

Result<Graph> load_edge_list(const std::filesystem::path& file) {
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) {
        return tl::unexpected(Error{file.string() + ": is a directory, not an edge list"});
    }
    std::ifstream input(file, std::ios::binary);
    if (!input) return tl::unexpected(Error{file.string() + ": cannot be opened"});
    return parse_edge_list(input, file.string());
}

}  // namespace unlearn::topologies
