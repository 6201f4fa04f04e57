#include <sstream>

#include <doctest/doctest.h>

#include "topologies/loaders.hpp"

using namespace unlearn::topologies;

namespace {

Result<Graph> parse(const std::string& text) {
    std::istringstream stream(text);
    return parse_edge_list(stream, "graph.txt");
}

/// Whether `text` is refused with a message of one line that starts with `where` and contains `what`.
void check_refused(const std::string& text, const std::string& where, const std::string& what) {
    CAPTURE(text);
    const auto graph = parse(text);
    REQUIRE_FALSE(graph);
    const std::string& message = graph.error().message;
    CAPTURE(message);
    CHECK(message.rfind(where + ": ", 0) == 0);
    CHECK(message.find(what) != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
}

}  // namespace

TEST_CASE("an edge list is read, with comments, blank lines and carriage returns") {
    const auto graph = parse("# a triangle\n\nb a\r\n  a c # the long side\nc b");
    REQUIRE(graph);
    CHECK(graph->names == std::vector<std::string>{"b", "a", "c"});
    CHECK(graph->edges == std::vector<Edge>{{0, 1}, {0, 2}, {1, 2}});
}

TEST_CASE("declarations give the order, wherever they stand") {
    const auto graph = parse("x y\nnode y\nnode x\n");
    REQUIRE(graph);
    CHECK(graph->names == std::vector<std::string>{"y", "x"});
    CHECK(graph->edges == std::vector<Edge>{{0, 1}});
}

TEST_CASE("a single declared node is a graph") {
    CHECK(parse("node alone\n")->size() == 1);
}

TEST_CASE("every mistake in an edge list names its line") {
    check_refused("", "graph.txt", "empty");
    check_refused("# nothing\n", "graph.txt", "empty");
    check_refused("a b\nc d\n", "graph.txt:2", "not connected: 'c' cannot be reached from 'a'");
    check_refused("node a\nnode b\n", "graph.txt:2", "not connected");
    check_refused("node a\nnode a\n", "graph.txt:2", "node 'a' is declared twice; first on line 1");
    check_refused("a b\nb b\n", "graph.txt:2", "linked to itself");
    check_refused("a b\n\nb a\n", "graph.txt:3", "given twice; first on line 1");
    check_refused("a b\na b/c\n", "graph.txt:2", "bad node name 'b/c'");
    check_refused("node node\n", "graph.txt:1", "bad node name");
    check_refused("a b c\n", "graph.txt:1", "3 words");
    check_refused("a\n", "graph.txt:1", "1 word");
    check_refused("node a\nnode b\na b\nb cc\n", "graph.txt:4", "'cc' is not declared");
    check_refused("a \x1b[31mb\n", "graph.txt:1", "'?[31mb'");
    check_refused(std::string(5000, 'a') + "\n", "graph.txt:1", "too long");
}

TEST_CASE("a file that cannot be read is named") {
    const auto missing = load_edge_list("/nonexistent/graph.txt");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message.find("/nonexistent/graph.txt") != std::string::npos);
    CHECK_FALSE(load_edge_list("/tmp"));
}
