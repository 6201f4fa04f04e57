#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"
#include "topologies/formats/formats.hpp"
#include "topologies/generators.hpp"

using namespace unlearn::topologies;

namespace {

Result<Graph> parse(const std::string& text) {
    return parse_graph(text, Format::edge_list, "graph.txt");
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
    check_refused("node a\nnode a\n", "graph.txt:2", "node 'a' is listed twice; first on line 1");
    check_refused("a b\nb b\n", "graph.txt:2", "linked to itself");
    check_refused("a b\na b/c\n", "graph.txt:2", "bad node name 'b/c'");
    check_refused("node node\n", "graph.txt:1", "bad node name");
    check_refused("a b c\n", "graph.txt:1", "3 words");
    check_refused("a\n", "graph.txt:1", "1 word");
    check_refused("node a\nnode b\na b\nb cc\n", "graph.txt:4", "'cc' is not declared");
    check_refused("a \x1b[31mb\n", "graph.txt:1", "'?[31mb'");
    check_refused(std::string(2'000'000, 'a') + "\n", "graph.txt:1", "too long");
}

TEST_CASE("an edge that comes twice, in either direction, is one edge") {
    const auto graph = parse("a b\n\nb a\na b\nb c\n");
    REQUIRE(graph);
    CHECK(graph->edges == std::vector<Edge>{{0, 1}, {1, 2}});
}

TEST_CASE(
    "names stand between blanks, commas, semicolons or tabs, below a header of a table or a number of "
    "nodes") {
    const auto expected = parse("a b\nb c\n");
    REQUIRE(expected);
    for (const char* text : {"a,b\nb,c\n", "a, b\nb , c\n", "a;b\nb;c\n", "a\tb\nb\tc\n", "a|b\rb|c\r",
                             "source,target\na,b\nb,c\n", "Source;Target;Weight\na;b;1\nb;c;2\n",
                             "% sym unweighted\na b\nb c\n", "# FromNodeId\tToNodeId\na\tb\nb\tc\n"}) {
        CAPTURE(text);
        const auto graph = parse(text);
        REQUIRE_MESSAGE(graph, graph.error().message);
        CHECK(*graph == *expected);
    }
    // The frameworks next door begin with the number of nodes and write each edge both ways.
    const auto counted = parse("3\n0 1\n1 0\n1 2\n2 1\n");
    REQUIRE_MESSAGE(counted, counted.error().message);
    CHECK(counted->size() == 3);
    CHECK(counted->edges.size() == 2);
    // The words of a header may be nodes when the file says so.
    CHECK(parse("node from\nnode to\nfrom to\n")->names == std::vector<std::string>{"from", "to"});
}

TEST_CASE("what could be lost, or mean two things, is refused with its line") {
    check_refused("4\n0 1\n1 2\n", "graph.txt:1", "says that there are 4 nodes, and the edges name 3");
    check_refused("2\n0 1\n1 2\n", "graph.txt:1", "says that there are 2 nodes, and the edges name 3");
    check_refused("7\n", "graph.txt:1", "no edge follows the number of nodes");
    check_refused("0 1\n7\n", "graph.txt:2", "found 1 word");
    check_refused("# Directed graph: web.txt\n0 1\n", "graph.txt:1", "the graph is directed");
    check_refused("% asym unweighted\n0 1\n", "graph.txt:1", "the graph is directed");
    check_refused("% bip unweighted\n1 1\n", "graph.txt:1", "bipartite");
    check_refused("%%MatrixMarket matrix\n1 2\n", "graph.txt:1", "Matrix Market");
    check_refused("source target\na b\nb source\n", "graph.txt:1", "may be a node or the name of a column");
    // A ring as neighbour lists: each line a node and its two neighbours.
    check_refused("0 1 3\n1 2 0\n2 3 1\n3 0 2\n", "graph.txt:1", "may be weights, or neighbours");
    // Five nodes and six edges, or a node more.
    check_refused("5 6\n1 2\n2 3\n3 4\n4 5\n5 1\n1 3\n", "graph.txt:1", "may be an edge, or the numbers");
    // All of these are weights, edges and comments beyond doubt.
    CHECK(parse("0 1 1\n1 2 1\n2 0 1\n"));
    CHECK(parse("0 1 3\n1 2 0\n2 3 1.5\n3 0 2\n"));
    CHECK(parse("5 6\n1 2\n2 3\n3 4\n4 5\n5 1\n"));
    CHECK(parse("# Undirected graph: x\n# Directed by N. N.\n0 1\n"));
    CHECK(parse("0 1\n# Directed graph, says a comment further down\n1 2\n"));
}

TEST_CASE("a file is read whatever packed it, and one that cannot be read is named") {
    const unlearn::testing::TemporaryFolder folder;
    const Graph path{{"a", "b", "c"}, {{0, 1}, {1, 2}}};
    for (const char* name :
         {"g.edges.gz", "g.json.gz", "g.graphml.gz", "g.dot.gz", "g.adjlist.gz", "g.edges", "g"}) {
        CAPTURE(name);
        REQUIRE(save_graph(folder / name, path, format_of(name).value()));
        const auto packed = unlearn::testing::content_of(folder / name);
        CHECK(packed.starts_with("\x1F\x8B") == std::string_view(name).ends_with(".gz"));
        const auto again = load_graph(folder / name);
        REQUIRE_MESSAGE(again, again.error().message);
        CHECK(*again == path);
    }
    CHECK(*load_graph(folder.write("marked.txt", "\xEF\xBB\xBFnode a\nnode b\nnode c\na b\nb c\n")) == path);
    const auto refusal = [](const std::filesystem::path& file) { return load_graph(file).error().message; };
    CHECK(refusal(folder.write("wide.txt", std::string("\xFF\xFE"
                                                       "a\0",
                                                       4)))
              .find("UTF-16") != std::string::npos);
    const auto whole = unlearn::testing::content_of(folder / "g.json.gz");
    CHECK(refusal(folder.write("cut.json.gz", whole.substr(0, whole.size() - 6))).find("cut off") !=
          std::string::npos);
    CHECK(refusal("/nonexistent/graph.txt") == "/nonexistent/graph.txt: cannot be opened");
    CHECK(refusal("/tmp") == "/tmp: is a directory, not a graph");
    CHECK(refusal(folder.write("x.gml", "graph [ ]"))
              .ends_with("x.gml: GML is not read; write GraphML, JSON, DOT or a list of edges"));
}

TEST_CASE("a large graph is written and read whole, packed or not") {
    const unlearn::testing::TemporaryFolder folder;
    const auto graph = ring(60'000);
    REQUIRE(graph);
    for (const char* name : {"g.edges", "g.json", "g.json.gz"}) {
        CAPTURE(name);
        REQUIRE(save_graph(folder / name, *graph, format_of(name).value()));
        const auto again = load_graph(folder / name);
        REQUIRE_MESSAGE(again, again.error().message);
        CHECK((*again == *graph));  // not shown: it would be megabytes
    }
    // Control: more than is read, and than is written, at once.
    CHECK(std::filesystem::file_size(folder / "g.edges") > (std::size_t{1} << 20));
}

TEST_CASE("a graph that cannot be written whole is an error that names the file") {
    const Graph triangle{{"a", "b", "c"}, {{0, 1}, {0, 2}, {1, 2}}};
    // The first takes nothing of what is written, and says so only when it is closed.
    for (const char* file : {"/dev/full", "/nonexistent/x.json"}) {
        CAPTURE(file);
        const auto saved = save_graph(file, triangle, Format::edge_list);
        REQUIRE_FALSE(saved);
        CHECK(saved.error().message == std::string(file) + ": cannot be written");
    }
}

TEST_CASE("a user who names the format decides what a third number is") {
    const unlearn::testing::TemporaryFolder folder;
    const auto file = folder.write("ring.txt", "0 1 3\n1 2 0\n2 3 1\n3 0 2\n");
    CHECK(load_graph(file, Format::edge_list)->edges.size() == 4);
    CHECK(load_graph(file, Format::adjacency_list)->edges.size() == 4);
    CHECK_FALSE(load_graph(file));
}
