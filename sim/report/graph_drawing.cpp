#include "sim/report/graph_drawing.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <sstream>

#include <spdlog/fmt/fmt.h>

#include "sim/report/program.hpp"
#include "sim/report/text.hpp"

namespace unlearn::sim::report {
namespace {

constexpr std::chrono::seconds kLayoutTimeout{10};
/// With more nodes than this, neato needs minutes and the nodes could not be told apart.
constexpr std::size_t kMaxLayoutNodes = 600;
/// With more nodes than this, the names would overlap.
constexpr std::size_t kMaxNamedNodes = 40;

/// Writes the graph for Graphviz. Nodes are identified by their index, so that no name reaches Graphviz.
std::string to_dot(const topologies::Graph& graph) {
    std::string dot =
        "graph {\n  layout=neato; overlap=false; start=1; sep=\"+18\";\n  node [shape=circle, width=0.6];\n";
    for (std::size_t i = 0; i < graph.size(); ++i)
        dot += fmt::format("  {};\n", i);
    for (const auto& [a, b] : graph.edges)
        dot += fmt::format("  {} -- {};\n", a, b);
    return dot + "}\n";
}

/// Parses Graphviz's "plain" output: `graph SCALE WIDTH HEIGHT`, then `node NAME X Y ...`. There, y points
/// up.
std::optional<Layout> parse_plain(const std::string& plain, std::size_t nodes) {
    Layout layout;
    layout.points.resize(nodes);
    std::istringstream lines(plain);
    double width = 0;
    double height = 0;
    std::size_t placed = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        words.imbue(std::locale::classic());
        std::string kind;
        words >> kind;
        if (kind == "graph") {
            double scale = 0;
            words >> scale >> width >> height;
            if (!words || width <= 0 || height <= 0) return std::nullopt;
        } else if (kind == "node") {
            std::size_t index = 0;
            double x = 0;
            double y = 0;
            words >> index >> x >> y;
            if (!words || index >= nodes || width <= 0) return std::nullopt;
            layout.points[index] = {x / width, 1.0 - y / height};
            ++placed;
        }
    }
    if (placed != nodes) return std::nullopt;
    layout.aspect = std::clamp(width / height, 1.0, 2.4);
    layout.by_graphviz = true;
    return layout;
}

std::string draw_node(double x, double y, double radius, NodeMark mark) {
    if (mark == NodeMark::left) {
        const double arm = radius * 0.55;
        return fmt::format(
            "<circle class=\"node left\" cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"{2:.1f}\"/>"
            "<path class=\"cross\" d=\"M{3:.1f} {4:.1f}L{5:.1f} {6:.1f}M{3:.1f} {6:.1f}L{5:.1f} {4:.1f}\"/>",
            x, y, radius, x - arm, y - arm, x + arm, y + arm);
    }
    std::string circle =
        fmt::format("<circle class=\"node\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>", x, y, radius);
    if (mark != NodeMark::none) {
        circle += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>",
                              mark == NodeMark::silent ? "ring silent" : "ring", x, y, radius + 5.0);
    }
    return circle;
}

}  // namespace

Layout circle(const topologies::Graph& graph) {
    Layout layout;
    for (std::size_t i = 0; i < graph.size(); ++i) {
        const double angle =
            2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(graph.size()) -
            std::numbers::pi / 2.0;
        layout.points.push_back({0.5 + 0.5 * std::cos(angle), 0.5 + 0.5 * std::sin(angle)});
    }
    return layout;
}

Layout lay_out(const topologies::Graph& graph) {
    if (graph.size() > kMaxLayoutNodes || graph.size() < 2) return circle(graph);
    const auto plain = run_program({"neato", "-Tplain"}, to_dot(graph), kLayoutTimeout);
    if (!plain) return circle(graph);
    return parse_plain(*plain, graph.size()).value_or(circle(graph));
}

std::string draw_graph(const topologies::Graph& graph, const Layout& layout,
                       const std::vector<NodeMark>& marks) {
    constexpr double kWidth = 560.0;
    constexpr double kMarginX = 56.0;
    constexpr double kMarginTop = 22.0;
    constexpr double kMarginBottom = 40.0;  // room for the names below the nodes
    const double height = std::clamp(kWidth / layout.aspect, 260.0, 480.0);
    const double radius = graph.size() <= kMaxNamedNodes ? 11.0 : 5.0;
    const auto x = [&](std::size_t i) { return kMarginX + layout.points[i].x * (kWidth - 2 * kMarginX); };
    const auto y = [&](std::size_t i) {
        return kMarginTop + layout.points[i].y * (height - kMarginTop - kMarginBottom);
    };

    std::string svg = fmt::format(
        "<svg class=\"graph\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
        "aria-label=\"The network: {} and {}\">\n",
        kWidth, height, counted(graph.size(), "node"), counted(graph.edges.size(), "link"));
    for (const auto& [a, b] : graph.edges) {
        const bool gone = marks[a] == NodeMark::left || marks[b] == NodeMark::left;
        svg += fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                           gone ? "link gone" : "link", x(a), y(a), x(b), y(b));
    }
    for (std::size_t i = 0; i < graph.size(); ++i) {
        const std::string name = escape_html(graph.names[i]);
        svg += "<g>" + draw_node(x(i), y(i), radius, marks[i]);
        svg += fmt::format("<title>{}</title>", name);
        if (graph.size() <= kMaxNamedNodes) {
            svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", x(i),
                               y(i) + radius + 19.0, name);
        }
        svg += "</g>\n";
    }
    return svg + "</svg>\n";
}

}  // namespace unlearn::sim::report
