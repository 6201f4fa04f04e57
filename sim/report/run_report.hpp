#pragma once

#include <ostream>
#include <string>

#include "sim/report/run_result.hpp"
#include "sim/report/terminal.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::report {

// The end of a run, for people: a page and a table. Both are made from its result and the graph alone, so
// that they can be made again later and on another machine from result.json. What is missing in the result
// shows as a dash.

/// report.html: one file that needs nothing else, neither scripts nor the network. Readable in print, in
/// grey, on a phone, and on a dark screen. Draws the graph with Graphviz when that is installed. Every string
/// of the result is escaped.
[[nodiscard]] std::string render_report(const RunResult& result, const topologies::Graph& graph);

/// The table at the end of a run, at most `terminal.width` columns wide where that is at least 72. With no
/// Unicode in the terminal it is plain ASCII. Control characters in the result's texts are not printed.
void print_summary(const RunResult& result, std::ostream& out, const Terminal& terminal = {});

}  // namespace unlearn::sim::report
