#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace unlearn::sim::report {

/// The value of a label: a word or a number.
using Label = std::variant<std::string, double>;

/// Formats a label for files and reports: a word as it is, a number in the shortest form that reads back the
/// same.
[[nodiscard]] std::string to_text(const Label& label);

/// One measured number, and the labels that identify it: the swept keys ("topology", "seed", ...), the
/// method, the node, the time. results.jsonl holds one per line, and results.csv one per row.
struct Row {
    std::string metric;
    double value = 0.0;
    std::map<std::string, Label> labels;
};

/// The labels that studies give their rows, besides "seed". A swept key whose last word is one of these keeps
/// its whole name: "topology.degree" is the value in the file, "degree" the degree of a node.
inline constexpr std::array<std::string_view, 14> kStudyLabels = {
    "betweenness", "degree", "departed", "distance", "kind",    "leaver", "method",
    "node",        "scope",  "state",    "step",     "time_ms", "time_s", "way"};

}  // namespace unlearn::sim::report
