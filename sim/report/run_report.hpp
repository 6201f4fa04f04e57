#pragma once

#include <ostream>
#include <string>

#include "sim/report/run_result.hpp"
#include "sim/report/terminal.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::report {

// Presents the end of a run to people: a page and a table. Both are made only from the result and the graph,
// so that they can be made again from result.json, later and on another machine. Missing values are shown as
// a dash.

/// Renders report.html: one self-contained file, without scripts and without network access. It is readable
/// in print, in grey, on a phone, and on a dark screen. The graph is laid out with Graphviz when that is
/// installed. Every string of the result is escaped.
[[nodiscard]] std::string render_report(const RunResult& result, const topologies::Graph& graph);

/// Prints the table at the end of a run, at most `terminal.width` columns wide if that is at least 72. The
/// table is plain ASCII if the terminal has no Unicode. Control characters in the result's texts are not
/// printed.
void print_summary(const RunResult& result, std::ostream& out, const Terminal& terminal = {});

}  // namespace unlearn::sim::report
