#pragma once

#include <string>
#include <vector>

#include "sim/report/figure.hpp"
#include "sim/report/row.hpp"

namespace unlearn::sim::report::test {

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// Two methods at three temperatures with three seeds and two nodes each. Seed averages of a method are
/// base - 0.01, base and base + 0.01.
inline std::vector<Row> sample_rows() {
    std::vector<Row> rows;
    for (const double seed : {1.0, 2.0, 3.0})
        for (const auto& [method, base] : {std::pair{"hdus", 0.85}, std::pair{"alone", 0.80}})
            for (const double temperature : {9.0, 1.0, 3.0})
                for (const double node : {-1.0, 1.0})
                    rows.push_back(
                        {"accuracy",
                         base + 0.01 * (seed - 2.0) + 0.05 * node,
                         {{"method", std::string(method)}, {"temperature", temperature}, {"seed", seed}}});
    return rows;
}

inline PlotSpec sample_plot() {
    PlotSpec plot;
    plot.title = "Accuracy by temperature";
    plot.note = "Higher is better.";
    plot.rows.metric = "accuracy";
    plot.x = "temperature";
    plot.series = "method";
    plot.x_title = "temperature T";
    plot.y_title = "accuracy, %";
    plot.scale = 100.0;
    return plot;
}

inline TableSpec sample_table() {
    TableSpec table;
    table.title = "Accuracy, %";
    table.rows.metric = "accuracy";
    table.down = {"method"};
    table.across = "temperature";
    table.scale = 100.0;
    return table;
}

}  // namespace unlearn::sim::report::test
