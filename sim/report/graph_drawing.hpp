#pragma once

#include <string>
#include <vector>

#include "topologies/graph.hpp"

namespace unlearn::sim::report {

/// Where the nodes of a drawing lie, each coordinate from 0 to 1, y downwards.
struct Layout {
    struct Point {
        double x = 0.5;
        double y = 0.5;
    };
    std::vector<Point> points;  ///< in the order of the graph's names
    double aspect = 1.6;        ///< width over height
    bool by_graphviz = false;   ///< false: a circle, because neato was not there or did not finish
};

/// Asks Graphviz (`neato`) for a layout and falls back to a circle. The same graph gives the same layout.
[[nodiscard]] Layout lay_out(const topologies::Graph& graph);

/// All nodes on a circle, in their order.
[[nodiscard]] Layout circle(const topologies::Graph& graph);

/// How a node is marked. Marks differ in shape and not only in colour.
enum class NodeMark {
    kNone,
    kHolder,  ///< erased a leaver's seed
    kSilent,  ///< held one and sent no receipt
    kLeft
};

/// The graph as an inline <svg>: drawn here and not by Graphviz, so that it takes the page's colours and
/// every name is escaped here. `marks` is in the order of the graph's names.
[[nodiscard]] std::string draw_graph(const topologies::Graph& graph, const Layout& layout,
                                     const std::vector<NodeMark>& marks);

}  // namespace unlearn::sim::report
