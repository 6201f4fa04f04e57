#include <sstream>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "topologies/formats.hpp"
#include "topologies/generators.hpp"

using namespace unlearn::topologies;

namespace {

std::string written(const Graph& graph, Format format) {
    std::ostringstream out;
    write_graph(out, graph, format);
    return out.str();
}

std::string error_of(const std::string& text, Format format) {
    const auto graph = parse_graph(text, format, "graph");
    return graph ? "no error" : graph.error().message;
}

/// a - b - c
const Graph kPath{{"a", "b", "c"}, {{0, 1}, {1, 2}}};

}  // namespace

TEST_CASE("what is written is read again as the same graph, in every format") {
    CHECK(rc::check([] {
        const auto graph = small_world(*rc::gen::inRange<std::uint32_t>(5, 40), 4, 0.3,
                                       *rc::gen::arbitrary<std::uint64_t>());
        RC_ASSERT(graph.has_value());
        for (const Format format :
             {Format::kEdgeList, Format::kJson, Format::kGraphml, Format::kAdjacencyList}) {
            const auto again = parse_graph(written(*graph, format), format, "graph");
            RC_ASSERT(again.has_value());
            RC_ASSERT(*again == *graph);
        }
        // Graphviz' reader has an order of its own.
        const auto again = parse_graph(written(*graph, Format::kDot), Format::kDot, "graph");
        RC_ASSERT(again.has_value());
        RC_ASSERT(again->edges.size() == graph->edges.size());
        for (const auto& [a, b] : graph->edges) {
            const Edge link =
                std::minmax({*again->index_of(graph->names[a]), *again->index_of(graph->names[b])});
            RC_ASSERT(std::find(again->edges.begin(), again->edges.end(), link) != again->edges.end());
        }
    }));
}

TEST_CASE("what networkx writes is read") {
    // write_edgelist
    CHECK(*parse_graph("a b {}\nb c {'weight': 2.5}\n", Format::kEdgeList, "graph") == kPath);
    // write_weighted_edgelist
    CHECK(*parse_graph("a b 1\nb c 2.5\n", Format::kEdgeList, "graph") == kPath);
    // write_adjlist
    CHECK(*parse_graph("#a script\n# GMT Fri Nov 27 12:00:00 2026\n#\na b\nb c\nc\n", Format::kAdjacencyList,
                       "graph") == kPath);
    // nx_pydot.write_dot
    CHECK(*parse_graph("graph \"\" {\na;\nb;\nc;\na -- b  [key=0, weight=\"2.5\"];\nb -- c;\n}\n",
                       Format::kDot, "graph") == kPath);
    // node_link_data, before and since networkx 3.4
    const std::string nodes =
        R"({"directed": false, "multigraph": false, "graph": {}, "nodes": [{"id": "a"}, {"id": "b"}, {"id": "c"}], )";
    for (const std::string key : {"links", "edges"})
        CHECK(*parse_graph(
                  nodes + "\"" + key +
                      R"(": [{"source": "a", "target": "b"}, {"weight": 1, "source": "b", "target": "c"}]})",
                  Format::kJson, "graph") == kPath);
    // adjacency_data
    CHECK(*parse_graph(nodes + R"("adjacency": [[{"id": "b"}], [{"id": "a"}, {"id": "c"}], [{"id": "b"}]]})",
                       Format::kJson, "graph") == kPath);
    // write_graphml
    CHECK(*parse_graph(R"(<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="edge" attr.name="weight" attr.type="double"/>
  <graph edgedefault="undirected">
    <node id="a"/><node id="b"/><node id="c"/>
    <edge source="a" target="b"><data key="d0">1.0</data></edge>
    <edge source="b" target="c"/>
  </graph>
</graphml>)",
                       Format::kGraphml, "graph") == kPath);
}

TEST_CASE("nodes that are numbers, and the order of an adjacency, stay as they are") {
    const auto graph = parse_graph(R"({"9": ["10"], "10": ["9", "1"], "1": ["10"]})", Format::kJson, "graph");
    REQUIRE(graph.has_value());
    CHECK(graph->names == std::vector<std::string>{"9", "10", "1"});
    CHECK(parse_graph(R"({"nodes": [{"id": 1}, {"id": 2}], "links": [{"source": 1, "target": 2}]})",
                      Format::kJson, "graph")
              ->names == std::vector<std::string>{"1", "2"});
    CHECK(*parse_graph("graph G { a -- b [weight=2]; b -- c; node [shape=box]; }", Format::kDot, "graph") ==
          kPath);
}

TEST_CASE("a node of an adjacency may be called as networkx calls its lists") {
    const Graph graph{{"nodes", "links", "edges"}, {{0, 1}, {1, 2}}};
    CHECK(*parse_graph(written(graph, Format::kJson), Format::kJson, "graph") == graph);
}

TEST_CASE("what is no connected simple graph is one line") {
    // A list that ends with a node alone, whose other lines look like weights.
    CHECK(error_of("0 1 2\n1 2\n2\n", Format::kEdgeList).rfind("graph:3: expected", 0) == 0);
    CHECK(error_of("a b inf\n", Format::kEdgeList).rfind("graph:1: expected", 0) == 0);
    CHECK(error_of("a b c\n", Format::kAdjacencyList) == "graph: 'a' is linked to 'b', which has no line");
    CHECK(error_of("a b\nb\na\n", Format::kAdjacencyList) == "graph: 'a' has two lines");
    CHECK(error_of(R"({"directed": "no", "nodes": [{"id": "a"}], "links": []})", Format::kJson) ==
          "graph: the graph is directed");
    CHECK(error_of(R"({"a": ["node"], "node": ["a"]})", Format::kJson).find("not 'node'") !=
          std::string::npos);
    CHECK(error_of("{", Format::kJson) == "graph: is not a JSON object");
    CHECK(error_of("[]", Format::kJson) == "graph: is not a JSON object");
    CHECK(error_of(R"({"a": ["b"]})", Format::kJson) == "graph: 'a' is linked to what is no node");
    CHECK(error_of(R"({"a": ["a"]})", Format::kJson) == "graph: node 'a' is linked to itself");
    CHECK(error_of(R"({"a": [], "b": []})", Format::kJson).find("not connected") != std::string::npos);
    CHECK(error_of(R"({"nodes": [{}]})", Format::kJson).find("no \"links\"") != std::string::npos);
    CHECK(error_of(R"({"directed": true, "nodes": [], "links": []})", Format::kJson) ==
          "graph: the graph is directed");
    CHECK(error_of(R"({"a/b": ["c"], "c": []})", Format::kJson).find("node name") != std::string::npos);
    CHECK(error_of("<graphml>", Format::kGraphml).find("line 1") != std::string::npos);
    CHECK(error_of("<graphml/>", Format::kGraphml) == "graph: holds no graphml.graph");
    CHECK(error_of("<graphml><graph edgedefault=\"directed\"/></graphml>", Format::kGraphml) ==
          "graph: the graph is directed");
    CHECK(error_of("digraph { a -> b }", Format::kDot) == "graph: the graph is directed");
    for (const char* text : {"graph {", "graph { a -- }", "nothing"}) {
        const auto error = error_of(text, Format::kDot);
        CHECK(error.rfind("graph: ", 0) == 0);
        CHECK(error.find('\n') == std::string::npos);
    }
    CHECK(load_graph("/nonexistent/graph.json").error().message ==
          "/nonexistent/graph.json: cannot be opened");
    CHECK_FALSE(load_graph("/tmp", Format::kJson));
}

TEST_CASE("the ending of a name tells the format") {
    CHECK(format_of("x/graph.json") == Format::kJson);
    CHECK(format_of("graph.graphml") == Format::kGraphml);
    CHECK(format_of("graph.gv") == Format::kDot);
    CHECK(format_of("graph.adjlist") == Format::kAdjacencyList);
    CHECK(format_of("graph.txt") == Format::kEdgeList);
}
