#include "topologies/formats/formats.hpp"

#include <sstream>

#include <doctest/doctest.h>
#include <rapidcheck.h>

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

TEST_CASE("what only looks like a list of edges is named") {
    const auto refusal = [](const std::string& text) { return error_of(text, Format::edge_list); };
    const auto has = [](const std::string& text, const char* part) {
        return text.find(part) != std::string::npos;
    };
    // Row numbers of pandas, with and without names for the nodes.
    CHECK(refusal(",source,target\n0,5,1\n").starts_with("graph:1: the first column has no name"));
    CHECK(refusal("source,target\n5,1\n") == "no error");
    CHECK(has(refusal("0 1 0\n1 0 1\n0 1 0\n"), "adjacency matrix"));
    CHECK(has(refusal("0 1 0 0\n1 0 1 0\n"), "adjacency matrix"));
    CHECK(has(refusal(",a,b\na,0,1\nb,1,0\n"), "a matrix is not read"));
    CHECK(refusal("0 1 1\n1 2 1\n2 0 1\n") == "no error");
    CHECK(has(refusal("{\"a\": [\"b\"]}"), "is it JSON"));
    CHECK(has(refusal("<graphml>\n"), "is it XML"));
    CHECK(has(refusal("graph { a -- b }"), "is it DOT"));
    CHECK(has(refusal("Source,Target,Type,Id\na,b,Undirected,1\n"), "leave out all columns but"));
    CHECK(has(refusal("a b c d\n"), "is it an adjacency list (adjlist)?"));
    // networkx writes the data of an edge behind it.
    CHECK(refusal("a b {'weight': 2}\nb c {}\n") == "no error");
}

TEST_CASE("endings are known in capitals, too") {
    CHECK(format_of("G.JSON") == Format::json);
    CHECK(format_of("g.Dot.GZ") == Format::dot);
    CHECK_FALSE(format_of("g.bmp"));
}

TEST_CASE("what is written is read again as the same graph, in every format") {
    CHECK(rc::check([] {
        const auto graph = small_world(*rc::gen::inRange<std::uint32_t>(5, 40), 4, 0.3,
                                       *rc::gen::arbitrary<std::uint64_t>());
        RC_ASSERT(graph.has_value());
        for (const Format format :
             {Format::edge_list, Format::json, Format::graphml, Format::dot, Format::adjacency_list}) {
            const auto again = parse_graph(written(*graph, format), format, "graph");
            RC_ASSERT(again.has_value());
            RC_ASSERT(*again == *graph);
        }
    }));
}

TEST_CASE("what networkx writes is read") {
    // write_edgelist
    CHECK(*parse_graph("a b {}\nb c {'weight': 2.5}\n", Format::edge_list, "graph") == kPath);
    // write_weighted_edgelist
    CHECK(*parse_graph("a b 1\nb c 2.5\n", Format::edge_list, "graph") == kPath);
    // write_adjlist
    CHECK(*parse_graph("#a script\n# GMT Fri Nov 27 12:00:00 2026\n#\na b\nb c\nc\n", Format::adjacency_list,
                       "graph") == kPath);
    // nx_pydot.write_dot
    CHECK(*parse_graph("graph \"\" {\na;\nb;\nc;\na -- b  [key=0, weight=\"2.5\"];\nb -- c;\n}\n",
                       Format::dot, "graph") == kPath);
    // node_link_data, before and since networkx 3.4
    const std::string nodes =
        R"({"directed": false, "multigraph": false, "graph": {}, "nodes": [{"id": "a"}, {"id": "b"}, {"id": "c"}], )";
    for (const std::string key : {"links", "edges"})
        CHECK(*parse_graph(
                  nodes + "\"" + key +
                      R"(": [{"source": "a", "target": "b"}, {"weight": 1, "source": "b", "target": "c"}]})",
                  Format::json, "graph") == kPath);
    // adjacency_data
    CHECK(*parse_graph(nodes + R"("adjacency": [[{"id": "b"}], [{"id": "a"}, {"id": "c"}], [{"id": "b"}]]})",
                       Format::json, "graph") == kPath);
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
                       Format::graphml, "graph") == kPath);
}

TEST_CASE("nodes that are numbers, and the order of an adjacency, stay as they are") {
    const auto graph = parse_graph(R"({"9": ["10"], "10": ["9", "1"], "1": ["10"]})", Format::json, "graph");
    REQUIRE(graph.has_value());
    CHECK(graph->names == std::vector<std::string>{"9", "10", "1"});
    CHECK(parse_graph(R"({"nodes": [{"id": 1}, {"id": 2}], "links": [{"source": 1, "target": 2}]})",
                      Format::json, "graph")
              ->names == std::vector<std::string>{"1", "2"});
    CHECK(*parse_graph("graph G { a -- b [weight=2]; b -- c; node [shape=box]; }", Format::dot, "graph") ==
          kPath);
}

TEST_CASE("numbers beyond 2^63 stay what they are") {
    const auto graph = parse_graph(
        R"({"nodes": [{"id": 18446744073709551615}, {"id": 9223372036854775808}],
            "links": [{"source": 18446744073709551615, "target": 9223372036854775808}]})",
        Format::json, "x");
    REQUIRE(graph);
    CHECK(graph->names == std::vector<std::string>{"18446744073709551615", "9223372036854775808"});
}

TEST_CASE("a node of an adjacency may be called as networkx calls its lists") {
    CHECK(*parse_graph(R"({"nodes": []})", Format::json, "x") == Graph{{"nodes"}, {}});
    const Graph graph{{"nodes", "links", "edges"}, {{0, 1}, {1, 2}}};
    CHECK(*parse_graph(written(graph, Format::json), Format::json, "graph") == graph);
}

TEST_CASE("what is no connected simple graph is one line") {
    // A list that ends with a node alone, whose other lines look like weights.
    CHECK(error_of("0 1 2\n1 2\n2\n", Format::edge_list).rfind("graph:3: expected", 0) == 0);
    CHECK(error_of("a b inf\n", Format::edge_list).rfind("graph:1: expected", 0) == 0);
    CHECK(error_of("a b c\n", Format::adjacency_list) == "graph:1: 'a' is linked to 'b', which has no line");
    CHECK(error_of("a b\nb\na\n", Format::adjacency_list) ==
          "graph:3: node 'a' is listed twice; first on line 1; names must tell nodes apart");
    CHECK(error_of(R"({"directed": "no", "nodes": [{"id": "a"}], "links": []})", Format::json) ==
          "graph:1: the graph is directed");
    CHECK(error_of(R"({"a": ["node"], "node": ["a"]})", Format::json).find("not 'node'") !=
          std::string::npos);
    CHECK(error_of("{\n\n", Format::json) == "graph:3: is not JSON");
    CHECK(error_of("[]", Format::json) == "graph:1: is not a JSON object");
    CHECK(error_of("{\"a\": [\n\"b\"]}", Format::json) ==
          "graph:2: 'a' is linked to something that is not a node");
    CHECK(error_of("{\"a\":\n[1\n]}", Format::json) ==
          "graph:2: 'a' is linked to something that is not a node");
    CHECK(error_of(R"({"a": ["a"]})", Format::json) == "graph:1: node 'a' is linked to itself");
    CHECK(error_of(R"({"a": [], "b": []})", Format::json).find("not connected") != std::string::npos);
    CHECK(error_of(R"({"nodes": [{}]})", Format::json).find("no \"links\"") != std::string::npos);
    CHECK(error_of("{\n\"directed\": true, \"nodes\": [], \"links\": []}", Format::json) ==
          "graph:2: the graph is directed");
    CHECK(error_of(R"({"a/b": ["c"], "c": []})", Format::json).find("node name") != std::string::npos);
    CHECK(error_of("<graphml>\n", Format::graphml) == "graph:2: no element found");
    CHECK(error_of("<graphml/>", Format::graphml) == "graph: holds no graphml.graph");
    CHECK(error_of("<graphml><graph edgedefault=\"directed\"/></graphml>", Format::graphml) ==
          "graph:1: the graph is directed");
    CHECK(error_of("digraph { a -> b }", Format::dot) == "graph:1: the graph is directed");
    CHECK(load_graph("/nonexistent/graph.json").error().message ==
          "/nonexistent/graph.json: cannot be opened");
    CHECK_FALSE(load_graph("/tmp", Format::json));
}

TEST_CASE("nodes of equal names are refused in every format, with the line") {
    const std::string nodes = "{\"nodes\": [{\"id\": 1},\n{\"id\": 2},\n{\"id\": \"1\"}],\n";
    const std::string twice =
        "graph:3: node '1' is listed twice; first on line 1; names must tell nodes apart";
    CHECK(error_of(nodes + "\"links\": []}", Format::json) == twice);
    CHECK(error_of(nodes + "\"adjacency\": [[],[],[]]}", Format::json) == twice);
    CHECK(error_of("{\"a\": [\"b\"],\n\"b\": [],\n\"a\": []}", Format::json) ==
          "graph:3: node 'a' is listed twice; first on line 1; names must tell nodes apart");
    CHECK(error_of("<graphml><graph>\n<node id='a'/><node id='b'/>\n<node id='a'/></graph></graphml>",
                   Format::graphml) ==
          "graph:3: node 'a' is listed twice; first on line 2; names must tell nodes apart");
}

TEST_CASE("what GraphML and JSON can say and a simple graph cannot is refused with its line") {
    const auto graphml = [](const std::string& inside) {
        return error_of("<graphml>\n<graph edgedefault=\"undirected\">\n<node id=\"a\"/><node id=\"b\"/>\n" +
                            inside + "\n</graph></graphml>",
                        Format::graphml);
    };
    CHECK(graphml("<edge source=\"b\" target=\"a\" directed=\"false\"/>") == "no error");
    CHECK(graphml("<edge source=\"b\" target=\"a\"/><edge source=\"a\" target=\"b\"/>") == "no error");
    CHECK(graphml("<edge source=\"a\" target=\"b\" directed=\"true\"/>") ==
          "graph:4: an edge that is directed, in an undirected graph");
    CHECK(graphml("<hyperedge><endpoint node=\"a\"/><endpoint node=\"b\"/></hyperedge>") ==
          "graph:4: a hyperedge links more than two nodes and cannot be kept");
    CHECK(graphml("<node id=\"c\"><graph id=\"in\"><node id=\"d\"/></graph></node>") ==
          "graph:4: a graph within a graph would be lost");
    CHECK(graphml("<edge source=\"a\" target=\"b\"/></graph>\n<graph><node id=\"c\"/>") ==
          "graph:5: a second graph begins here; a file holds one");
    CHECK(graphml("<edge source=\"a\" target=\"z\"/>") == "graph:4: an edge names 'z', which is not a node");
    CHECK(graphml("<node/>") == "graph:4: a node without an id");
    CHECK(error_of("<gexf/>", Format::graphml) == "graph:1: is not GraphML: it begins with <gexf>");
    // The edges may stand first, and a namespace may have a prefix.
    CHECK(*parse_graph(
              "<g:graphml xmlns:g=\"http://graphml.graphdrawing.org/xmlns\"><g:graph><g:edge source=\"a\" "
              "target=\"b\"/><g:edge source=\"b\" target=\"c\"/><g:node id=\"a\"/><g:node id=\"b\"/><g:node "
              "id=\"c\"/></g:graph></g:graphml>",
              Format::graphml, "graph") == kPath);
    CHECK(error_of(R"({"nodes": [{"id": "a"}, {"id": "b"}], "links": [], "edges": []})", Format::json)
              .find("more than one of") != std::string::npos);
    CHECK(error_of(R"({"nodes": [{"id": "a"}, {"id": "b"}], "links": [], "hyperedges": []})", Format::json)
              .find("would be lost") != std::string::npos);
    CHECK(*parse_graph(R"({"a": {"b": {}}, "b": {"c": {"weight": 2}}, "c": {}})", Format::json, "graph") ==
          kPath);
    std::string deep;
    for (int i = 0; i < 100'000; ++i)
        deep += "[";
    CHECK(error_of("{\"a\": " + deep, Format::json) == "graph:1: is nested too deeply");
    // Not beyond what a signed number holds, where it once became -1.
    CHECK(parse_graph(R"({"nodes": [{"id": 9223372036854775809}, {"id": 2}],
                          "links": [{"source": 9223372036854775809, "target": 2}]})",
                      Format::json, "graph")
              ->names.front() == "9223372036854775809");
    CHECK(parse_graph(R"({"nodes": [{"id": 99999999999999999999999}, {"id": 2}],
                          "links": [{"source": 99999999999999999999999, "target": 2}]})",
                      Format::json, "graph")
              ->names.front() == "99999999999999999999999");
    CHECK(error_of(R"({"nodes": [{"id": 1.5}], "links": []})", Format::json).find("a whole number") !=
          std::string::npos);
}

TEST_CASE("what networkx would not have written is refused") {
    const auto two_nodes = [](const std::string& rest) {
        return error_of(R"({"nodes": [{"id": "a"}, {"id": "b"}], )" + rest + "}", Format::json);
    };
    const auto link = [&](const std::string& directed) {
        return two_nodes(R"("links": [{"source": "a", "target": "b", "directed": )" + directed + "}]");
    };
    CHECK(link("true") == "graph:1: a link that is directed, in an undirected graph");
    CHECK(link("false") == "no error");
    const std::string uneven = "graph:1: \"adjacency\" does not have one list for each node";
    CHECK(two_nodes(R"("adjacency": [[{"id": "b"}]])") == uneven);
    CHECK(two_nodes(R"("adjacency": [[{"id": "b"}], [{"id": "a"}], []])") == uneven);
    CHECK(two_nodes(R"("adjacency": [[{"id": "b"}], [{"id": "a"}]])") == "no error");
}

TEST_CASE("DOT is read as Graphviz reads it") {
    for (const char* text : {
             "graph{a--b--c}",
             "strict GRAPH \"my graph\" { graph [size=\"7,7\"; ratio=fill] node [shape=box,style=filled] "
             "edge[len=2]\n"
             "a -- b [label=\"x \\\" y\", weight=2][color=red]; rank = same; b -- c }",
             "# 1 \"preprocessed.dot\"\ngraph G { // nodes\n a [label=<<b>A</b><br/>a>]; a:n -- b:port:sw; "
             "/* a\n"
             "comment */ b -- \"c\"; }\n",
             "graph { {a c} -- b }",
             "graph { a -- {b} -- c; subgraph cluster_0 { label = \"x\"; b } }",
             "graph { subgraph { a; c } -- subgraph s { b } ; a -- b; b -- a }",
             "graph { \"a\" -- \"\" + \"b\"; b -- \"c\\\n\" }",
         }) {
        CAPTURE(text);
        const auto graph = parse_graph(text, Format::dot, "graph");
        REQUIRE_MESSAGE(graph, graph.error().message);
        CHECK(graph->size() == 3);
        CHECK(graph->edges.size() == 2);
        for (const auto& [a, b] : {std::pair("a", "b"), std::pair("b", "c")}) {
            const Edge edge = std::minmax({graph->index_of(a).value(), graph->index_of(b).value()});
            CHECK(std::find(graph->edges.begin(), graph->edges.end(), edge) != graph->edges.end());
        }
    }
    CHECK(
        parse_graph("graph { 1 -- -.5 }", Format::dot, "graph").error().message.find("bad node name '-.5'") !=
        std::string::npos);
    CHECK(parse_graph("graph { 10 -- 2.5 }", Format::dot, "graph")->names ==
          std::vector<std::string>{"10", "2.5"});
}

TEST_CASE("what is wrong in DOT is told with its line") {
    const auto dot = [](const std::string& text) { return error_of(text, Format::dot); };
    CHECK(dot("graph {\n a -- b\n") ==
          "graph:3: found the end of the file where a node, an edge or '}' is expected");
    CHECK(dot("graph {\n a -- }\n") == "graph:2: found '}' where a node, an edge or '}' is expected");
    CHECK(dot("nothing") == "graph:1: found 'nothing' where 'graph' is expected");
    CHECK(dot("") == "graph:1: found the end of the file where 'graph' is expected");
    CHECK(dot("graph {\na -- b;\nb -> c }") == "graph:3: '->' is a directed edge, in an undirected graph");
    CHECK(dot("graph {\na -- b;\nb -- b }") == "graph:3: node 'b' is linked to itself");
    CHECK(dot("graph { a -- b }\ngraph { c -- d }") ==
          "graph:2: a second graph begins here; a file holds one");
    CHECK(dot("graph { a -- b } c") == "graph:1: found 'c' where the end of the file is expected");
    CHECK(dot("graph {\n\"a -- b }") == "graph:2: a text in quotes that begins here never ends");
    CHECK(dot("graph {\n\n/* a -- b }") == "graph:3: a comment that begins here never ends");
    CHECK(dot("graph {\na [label=<<b>x] }") == "graph:2: HTML that begins here never ends");
    CHECK(dot("graph { 1st -- b }").find("begins with a digit and goes on with letters") !=
          std::string::npos);
    CHECK(dot("graph { a -- b & c }") == "graph:1: '&' is not DOT");
    CHECK(dot("graph {\na -- \"x y\" }").starts_with("graph:2: bad node name"));
    CHECK(dot("graph { a; b }").find("not connected") != std::string::npos);
    std::string deep = "graph ";
    for (int i = 0; i < 100'000; ++i)
        deep += "{";
    CHECK(dot(deep) == "graph:1: groups are nested too deeply");
}

TEST_CASE("the ending of a name tells the format") {
    CHECK(format_of("x/graph.json") == Format::json);
    CHECK(format_of("graph.graphml") == Format::graphml);
    CHECK(format_of("graph.gv") == Format::dot);
    CHECK(format_of("graph.adjlist") == Format::adjacency_list);
    CHECK(format_of("graph.txt") == Format::edge_list);
    CHECK(format_of("graph.graphml.gz") == Format::graphml);
    CHECK(format_of("graph") == Format::edge_list);
    CHECK_FALSE(format_of("graph.gml"));
    CHECK_FALSE(format_of("graph.pdf"));
}
