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

/// Builds a graph from what a reader finds in a file, in the order of the file. An edge that is repeated, in
/// either direction, counts once. Every error is one line that begins with the file and the line number (only
/// the file for line 0).
class GraphBuilder {
  public:
    /// The most edges that a file may have, so that a wrong file gives an error instead of exhausting the
    /// memory.
    static constexpr std::size_t kMaxEdges = 20'000'000;

    explicit GraphBuilder(std::string_view file_name) : file_name_(file_name) {}

    [[nodiscard]] tl::unexpected<Error> fail(std::size_t line, const std::string& message) const;

    /// Adds a node that the file lists. It is an error to list one twice.
    [[nodiscard]] Result<void> declare(const std::string& name, std::size_t line);
    /// Adds a node that the file mentions, unless it is known already.
    [[nodiscard]] Result<NodeIndex> mention(const std::string& name, std::size_t line);
    [[nodiscard]] bool knows(const std::string& name) const { return index_.contains(name); }
    [[nodiscard]] std::size_t size() const { return names_.size(); }
    /// The line that lists a node, or else the one that first mentions it.
    [[nodiscard]] std::size_t line_of(NodeIndex node) const { return lines_[node]; }
    [[nodiscard]] const std::string& name_of(NodeIndex node) const { return names_[node]; }

    /// Adds an edge between nodes that were mentioned.
    [[nodiscard]] Result<void> link(NodeIndex from, NodeIndex to, std::size_t line);
    /// Adds an edge, which mentions both its ends.
    [[nodiscard]] Result<void> link(const std::string& from, const std::string& to, std::size_t line);
    /// Adds an edge between two nodes that must be known already.
    [[nodiscard]] Result<void> link_known(const std::string& from, const std::string& to, std::size_t line);

    /// Returns the graph. If nodes were listed, they keep that order; otherwise they keep the order in which
    /// they were mentioned. Fails if only some nodes were listed, if the graph is empty, or if it is not
    /// connected.
    [[nodiscard]] Result<Graph> finish();

  private:
    [[nodiscard]] std::vector<NodeIndex> order() const;

    std::string file_name_;
    std::vector<std::string> names_;
    std::vector<std::size_t> lines_;  ///< parallel to names_
    std::unordered_map<std::string, NodeIndex> index_;
    std::map<NodeIndex, NodeIndex> declared_;  ///< the place of each listed node in the list
    std::vector<Edge> edges_;
};

}  // namespace unlearn::topologies
