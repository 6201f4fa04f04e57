#include "topologies/graph.hpp"

#include <doctest/doctest.h>

using namespace unlearn::topologies;

namespace {

Graph path_of_four() {
    return make_graph({"a", "b", "c", "d"}, {{2, 1}, {1, 0}, {2, 3}}).value();
}

std::string error_of(const Result<Graph>& result) {
    REQUIRE_FALSE(result.has_value());
    return result.error().message;
}

}  // namespace

TEST_CASE("edges are brought into one form") {
    CHECK(path_of_four().edges == std::vector<Edge>{{0, 1}, {1, 2}, {2, 3}});
}

TEST_CASE("neighbours, degree and adjacency agree") {
    const Graph graph = path_of_four();
    CHECK(graph.neighbours(1) == std::vector<NodeIndex>{0, 2});
    CHECK(graph.degree(1) == 2);
    CHECK(graph.degree(3) == 1);
    CHECK(graph.adjacency()[2] == graph.neighbours(2));
    CHECK(graph.index_of("c") == NodeIndex{2});
    CHECK_FALSE(graph.index_of("e"));
}

TEST_CASE("removing a node keeps the others' names and edges, and may leave pieces") {
    const auto without = path_of_four().induced_subgraph_without("b");
    REQUIRE(without);
    CHECK(without->names == std::vector<std::string>{"a", "c", "d"});
    CHECK(without->edges == std::vector<Edge>{{1, 2}});
    CHECK_FALSE(without->connected());
    CHECK(without->first_unreachable() == NodeIndex{1});

    CHECK(path_of_four().induced_subgraph_without("d")->connected());
    CHECK(error_of(path_of_four().induced_subgraph_without("e")).find("'e'") != std::string::npos);
}

TEST_CASE("what is not a simple graph with good names is refused") {
    CHECK(error_of(make_graph({}, {})).find("empty") != std::string::npos);
    CHECK(error_of(make_graph({"a", "a"}, {})).find("declared twice") != std::string::npos);
    CHECK(error_of(make_graph({"a", "b/c"}, {})).find("bad node name") != std::string::npos);
    CHECK(error_of(make_graph({"a\nb\x1b[31m"}, {})).find("bad node name 'a?b?[31m'; allowed") == 0);
    CHECK(error_of(make_graph({std::string(1000, ' ')}, {})).size() < 200);
    CHECK(error_of(make_graph({"a", "b"}, {{0, 0}})).find("itself") != std::string::npos);
    CHECK(error_of(make_graph({"a", "b"}, {{0, 1}, {1, 0}})).find("given twice") != std::string::npos);
    CHECK(error_of(make_graph({"a", "b"}, {{0, 2}})).find("does not exist") != std::string::npos);
}

TEST_CASE("a name can be part of a file name") {
    for (const char* good : {"node-0", "A", "7", "rack1.node_2"})
        CHECK(is_valid_node_name(good));
    for (const char* bad : {"", "node", "-a", ".", "..", ".hidden", "a b", "a/b", "\xc3\xa9", "<script>"}) {
        CHECK_FALSE(is_valid_node_name(bad));
    }
    CHECK(is_valid_node_name(std::string(64, 'x')));
    CHECK_FALSE(is_valid_node_name(std::string(65, 'x')));
}
