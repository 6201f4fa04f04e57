#pragma once

#include <filesystem>
#include <ostream>
#include <string>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

#include "sim/report/terminal.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::report {

// The end of a run, for people: a page and a table. Both are made from result.json alone (schema 1,
// sim/README.md) and the graph, so that they can be made again later and on another machine. What is missing
// in the result shows as a dash.

/// report.html: one file that needs nothing else, neither scripts nor the network. Readable in print, in
/// grey, on a phone, and on a dark screen. Draws the graph with Graphviz when that is installed. Every string
/// of the result is escaped. An error, one line, when the result is not of schema 1.
[[nodiscard]] tl::expected<std::string, std::string> render_report(const nlohmann::json& result,
                                                                   const topologies::Graph& graph);

/// Writes that page. The file appears complete or not at all. An error of one line names it.
[[nodiscard]] tl::expected<void, std::string> write_report(const std::filesystem::path& file,
                                                           const nlohmann::json& result,
                                                           const topologies::Graph& graph);

/// The table at the end of a run, at most `terminal.width` columns wide where that is at least 72. With no
/// Unicode in the terminal it is plain ASCII. A result that is not of schema 1 prints one line that says so.
void print_summary(const nlohmann::json& result, std::ostream& out, const Terminal& terminal = {});

}  // namespace unlearn::sim::report
