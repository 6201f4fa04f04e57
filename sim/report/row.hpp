#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace unlearn::sim::report {

/// What a column of a row holds: a word or a number.
using Label = std::variant<std::string, double>;

/// As files and reports write it: a word as it is, a number in the shortest form that reads back the same.
[[nodiscard]] std::string to_text(const Label& label);

/// One number that was measured, and everything that tells it apart: the swept keys ("topology", "seed",
/// ...), the method, the node, the time. results.jsonl holds one a line, and results.csv one a row.
struct Row {
    std::string metric;
    double value = 0.0;
    std::map<std::string, Label> labels;
};

/// The labels that studies give their rows, beside "seed". A swept key whose last word is one of these goes
/// by its whole name: "topology.degree" is what the file says, "degree" what a node has.
inline constexpr std::array<std::string_view, 14> kStudyLabels = {
    "betweenness", "degree", "departed", "distance", "kind",    "leaver", "method",
    "node",        "scope",  "state",    "step",     "time_ms", "time_s", "way"};

}  // namespace unlearn::sim::report
