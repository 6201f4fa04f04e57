#pragma once

#include <string>
#include <vector>

#include "topologies/graph.hpp"

namespace unlearn::sim::report {

/// The positions of the nodes in a drawing. Each coordinate is from 0 to 1; y points down.
struct Layout {
    struct Point {
        double x = 0.5;
        double y = 0.5;
    };
    std::vector<Point> points;  ///< in the order of the graph's names
    double aspect = 1.6;        ///< width over height
    bool by_graphviz = false;   ///< false: a circle, because neato gave no layout
};

/// Asks Graphviz (`neato`) for a layout and falls back to a circle. The same graph gives the same layout.
[[nodiscard]] Layout lay_out(const topologies::Graph& graph);

/// Places all nodes on a circle, in their order.
[[nodiscard]] Layout circle(const topologies::Graph& graph);

/// How a node is marked. Marks differ in shape, not only in colour.
enum class NodeMark {
    none,
    holder,  ///< erased a leaver's seed
    silent,  ///< held a leaver's seed and sent no receipt
    left
};

/// Draws the graph as an inline <svg>. Graphviz does not draw it, so that it takes the page's colours and
/// every name is escaped here. `marks` is in the order of the graph's names.
[[nodiscard]] std::string draw_graph(const topologies::Graph& graph, const Layout& layout,
                                     const std::vector<NodeMark>& marks);

}  // namespace unlearn::sim::report
