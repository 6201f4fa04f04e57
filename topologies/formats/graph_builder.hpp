#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "topologies/graph.hpp"

namespace unlearn::topologies {

/// Makes a graph from what a reader finds in a file, in the order in which the file tells it. An edge that
/// comes again, in either direction, is one edge. Every error is one line that begins with the file and the
/// line of the file (FILE alone for line 0).
class GraphBuilder {
  public:
    /// What a file may hold at most, so that a wrong file is an answer and not an exhausted memory.
    static constexpr std::size_t kMaxEdges = 20'000'000;

    explicit GraphBuilder(std::string_view file_name) : file_name_(file_name) {}

    [[nodiscard]] tl::unexpected<Error> fail(std::size_t line, const std::string& message) const;

    /// A node that the file lists. It is an error to list one twice.
    [[nodiscard]] Result<void> declare(const std::string& name, std::size_t line);
    /// A node that the file mentions.
    [[nodiscard]] Result<NodeIndex> mention(const std::string& name, std::size_t line);
    [[nodiscard]] bool knows(const std::string& name) const { return index_.contains(name); }
    [[nodiscard]] std::size_t size() const { return names_.size(); }
    /// The line on which a node came first.
    [[nodiscard]] std::size_t line_of(NodeIndex node) const { return lines_[node]; }
    [[nodiscard]] const std::string& name_of(NodeIndex node) const { return names_[node]; }

    /// An edge between nodes that were mentioned.
    [[nodiscard]] Result<void> link(NodeIndex from, NodeIndex to, std::size_t line);
    /// An edge; both ends are mentioned by it.
    [[nodiscard]] Result<void> link(const std::string& from, const std::string& to, std::size_t line);
    /// An edge between nodes that the file must have listed.
    [[nodiscard]] Result<void> link_known(const std::string& from, const std::string& to, std::size_t line);

    /// The graph, with its nodes in the order in which they were listed, if any was, and else in which they
    /// came. Fails where a node is not listed though others are, for an empty graph and for one in pieces.
    [[nodiscard]] Result<Graph> finish();

  private:
    [[nodiscard]] std::vector<NodeIndex> order() const;

    std::string file_name_;
    std::vector<std::string> names_;
    std::vector<std::size_t> lines_;  ///< beside names_
    std::unordered_map<std::string, NodeIndex> index_;
    std::map<NodeIndex, NodeIndex> declared_;  ///< each listed node's place among them
    std::vector<Edge> edges_;
};

}  // namespace unlearn::topologies
