#include <algorithm>
#include <optional>
#include <utility>

#include "topologies/formats/dot_lexer.hpp"
#include "topologies/formats/readers.hpp"

// The DOT language: nodes, edges and groups of nodes. Attributes are ignored.
namespace unlearn::topologies {
namespace {

using Nodes = std::vector<NodeIndex>;

/// Reads one graph by recursive descent, with a function for each rule of the grammar.
class DotReader {
  public:
    DotReader(std::string_view text, GraphBuilder& builder) : builder_(builder), lexer_(text, builder) {}

    Result<Graph> read() {
        if (auto ok = step(); !ok) return tl::unexpected(ok.error());
        if (auto ok = read_head(); !ok) return tl::unexpected(ok.error());
        if (auto nodes = statements(0); !nodes) return tl::unexpected(nodes.error());
        if (token_.is(DotToken::Kind::keyword))
            return builder_.fail(token_.line, "a second graph begins here; a file holds one");
        if (!token_.is(DotToken::Kind::end)) return unexpected("the end of the file");
        return builder_.finish();
    }

  private:
    static constexpr std::size_t kMaxDepth = 100;

    Result<void> step() {
        auto next = lexer_.next();
        if (!next) return tl::unexpected(next.error());
        token_ = std::move(*next);
        return {};
    }
    /// Moves past the sign, which must be the current token.
    Result<void> expect_sign(char sign) {
        if (!token_.is_sign(sign)) return unexpected(std::string("'") + sign + "'");
        return step();
    }
    [[nodiscard]] tl::unexpected<Error> unexpected(const std::string& wanted) const {
        const std::string found =
            token_.is(DotToken::Kind::end) ? "the end of the file" : "'" + printable(token_.text) + "'";
        return builder_.fail(token_.line, "found " + found + " where " + wanted + " is expected");
    }

    /// Reads `[strict] graph [ID]`.
    Result<void> read_head() {
        if (token_.is_keyword("strict"))
            if (auto ok = step(); !ok) return ok;
        if (token_.is_keyword("digraph")) return builder_.fail(token_.line, "the graph is directed");
        if (!token_.is_keyword("graph")) return unexpected("'graph'");
        if (auto ok = step(); !ok) return ok;
        return token_.is(DotToken::Kind::id) ? step() : Result<void>{};
    }

    /// Reads `{ statements }`. Returns the nodes that it mentions, each once.
    Result<Nodes> statements(std::size_t depth) {
        if (depth > kMaxDepth) return builder_.fail(token_.line, "groups are nested too deeply");
        if (auto ok = expect_sign('{'); !ok) return tl::unexpected(ok.error());
        Nodes mentioned;
        while (!token_.is_sign('}')) {
            if (token_.is_sign(';')) {
                if (auto ok = step(); !ok) return tl::unexpected(ok.error());
                continue;
            }
            auto nodes = statement(depth);
            if (!nodes) return nodes;
            mentioned.insert(mentioned.end(), nodes->begin(), nodes->end());
        }
        if (auto ok = step(); !ok) return tl::unexpected(ok.error());
        std::sort(mentioned.begin(), mentioned.end());
        mentioned.erase(std::unique(mentioned.begin(), mentioned.end()), mentioned.end());
        return mentioned;
    }

    Result<Nodes> statement(std::size_t depth) {
        const bool sets_attributes =
            token_.is_keyword("graph") || token_.is_keyword("node") || token_.is_keyword("edge");
        if (sets_attributes) {
            if (auto ok = step(); !ok) return tl::unexpected(ok.error());
            if (auto ok = attributes(); !ok) return tl::unexpected(ok.error());
            return Nodes{};
        }
        return edges(depth);
    }

    /// Reads `ID = ID`, or ends of edges joined by `--`, and then attributes.
    Result<Nodes> edges(std::size_t depth) {
        auto left = end_of_edge(depth);
        if (!left) return tl::unexpected(left.error());
        if (!*left) return Nodes{};
        Nodes all = **left;
        Nodes before = std::move(**left);
        while (token_.is(DotToken::Kind::line) || token_.is(DotToken::Kind::arrow)) {
            if (token_.is(DotToken::Kind::arrow))
                return builder_.fail(token_.line, "'->' is a directed edge, in an undirected graph");
            const std::size_t line = token_.line;
            if (auto ok = step(); !ok) return tl::unexpected(ok.error());
            auto right = end_of_edge(depth);
            if (!right) return tl::unexpected(right.error());
            if (!*right) return unexpected("a node");
            if (auto ok = link_all(before, **right, line); !ok) return tl::unexpected(ok.error());
            all.insert(all.end(), (*right)->begin(), (*right)->end());
            before = std::move(**right);
        }
        if (auto ok = attributes(); !ok) return tl::unexpected(ok.error());
        return all;
    }

    /// Reads a node with its port, or a group. Returns nothing for `ID = ID`, which is not an end of an edge.
    Result<std::optional<Nodes>> end_of_edge(std::size_t depth) {
        if (token_.is_keyword("subgraph")) {
            if (auto ok = step(); !ok) return tl::unexpected(ok.error());
            if (token_.is(DotToken::Kind::id))
                if (auto ok = step(); !ok) return tl::unexpected(ok.error());
            return group(depth);
        }
        if (token_.is_sign('{')) return group(depth);
        if (!token_.is(DotToken::Kind::id)) return unexpected("a node, an edge or '}'");
        const DotToken name = std::move(token_);
        if (auto ok = step(); !ok) return tl::unexpected(ok.error());
        if (token_.is_sign('=')) {
            if (auto ok = step(); !ok) return tl::unexpected(ok.error());
            if (!token_.is(DotToken::Kind::id)) return unexpected("a value");
            if (auto ok = step(); !ok) return tl::unexpected(ok.error());
            return std::nullopt;
        }
        for (int port = 0; port < 2 && token_.is_sign(':'); ++port) {
            if (auto ok = step(); !ok) return tl::unexpected(ok.error());
            if (!token_.is(DotToken::Kind::id)) return unexpected("a port");
            if (auto ok = step(); !ok) return tl::unexpected(ok.error());
        }
        const auto node = builder_.mention(name.text, name.line);
        if (!node) return tl::unexpected(node.error());
        return Nodes{*node};
    }

    Result<std::optional<Nodes>> group(std::size_t depth) {
        auto nodes = statements(depth + 1);
        if (!nodes) return tl::unexpected(nodes.error());
        return std::move(*nodes);
    }

    Result<void> link_all(const Nodes& from, const Nodes& to, std::size_t line) {
        for (const NodeIndex a : from)
            for (const NodeIndex b : to)
                if (auto added = builder_.link(a, b, line); !added) return added;
        return {};
    }

    /// Reads `[ID = ID, ...] [...]`.
    Result<void> attributes() {
        while (token_.is_sign('[')) {
            if (auto ok = step(); !ok) return ok;
            while (!token_.is_sign(']')) {
                // A value may be missing, and a keyword may be a name here.
                if (!token_.is(DotToken::Kind::id) && !token_.is(DotToken::Kind::keyword))
                    return unexpected("an attribute or ']'");
                if (auto ok = step(); !ok) return ok;
                if (token_.is_sign('=')) {
                    if (auto ok = step(); !ok) return ok;
                    if (!token_.is(DotToken::Kind::id) && !token_.is(DotToken::Kind::keyword))
                        return unexpected("a value");
                    if (auto ok = step(); !ok) return ok;
                }
                if (token_.is_sign(',') || token_.is_sign(';'))
                    if (auto ok = step(); !ok) return ok;
            }
            if (auto ok = step(); !ok) return ok;
        }
        return {};
    }

    GraphBuilder& builder_;
    DotLexer lexer_;
    DotToken token_;
};

}  // namespace

Result<Graph> read_dot(std::string_view text, GraphBuilder& builder) {
    return DotReader(text, builder).read();
}

}  // namespace unlearn::topologies
