#include <algorithm>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/support/sim_playground.hpp"

/// `unlearn-topo` as a user has it.

using namespace unlearn::testing;

TEST_CASE_FIXTURE(Playground,
                  "a graph is generated, converted to every format and back, and stays the same") {
    const auto made = topo("generate --kind barabasi-albert --nodes 40 --degree 4 --seed 7");
    REQUIRE(made.code == 0);
    CHECK(topo("generate --kind barabasi-albert --nodes 40 --degree 4 --seed 7").out == made.out);
    CHECK(topo("generate --kind barabasi-albert --nodes 40 --degree 4 --seed 8").out != made.out);
    std::string last = write("graph.edges", made.out).string();
    for (const std::string ending : {"json", "graphml", "adjlist", "edges"}) {
        const auto next = (path() / ("next." + ending)).string();
        const auto converted = topo("convert " + last + " --out " + next);
        CHECK(converted.code == 0);
        CHECK(converted.err == next + ": 40 nodes, 76 edges\n");
        last = next;
    }
    CHECK(content_of(last) == made.out);
    CHECK(topo("convert " + last + " --to dot").out.starts_with("graph {"));
}

TEST_CASE_FIXTURE(Playground, "describe says how far it is and what breaks when a node leaves") {
    write("barbell.edges", "a b\nb c\nc a\nc d\nd e\ne f\nf d\nf g\n");
    const auto described = topo("describe " + (path() / "barbell.edges").string() + " --json");
    REQUIRE(described.code == 0);
    const auto measures = json::parse(described.out);
    CHECK(measures.at("nodes") == 7);
    CHECK(measures.at("diameter") == 4);
    CHECK(measures.at("articulation_points") ==
          json::parse(R"([{"name": "c", "parts": 2, "cut_off": 2}, {"name": "d", "parts": 2, "cut_off": 3},
                          {"name": "f", "parts": 2, "cut_off": 1}])"));
    const auto words = topo("describe " + (path() / "barbell.edges").string());
    CHECK(words.out.find("leaves 2 parts, 3 nodes cut off") != std::string::npos);
    CHECK(
        topo("describe --kind ring --nodes 9").out.find("the rest stays connected, whichever node leaves") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Playground, "every kind that is listed can be made with its defaults") {
    std::istringstream kinds(topo("list").out);
    std::size_t count = 0;
    for (std::string line; std::getline(kinds, line); ++count) {
        const auto kind = line.substr(0, line.find(' '));
        CAPTURE(kind);
        CHECK(topo("describe --kind " + kind + " --nodes 64 --degree 12").code == 0);
    }
    CHECK(count >= 16);
}

TEST_CASE_FIXTURE(Playground, "bad input is one line, exit code 2, and no file") {
    const auto refused = [&](const std::string& arguments, const std::string& words) {
        CAPTURE(arguments);
        const auto finished = topo(arguments);
        CHECK(finished.code == 2);
        CHECK(finished.out.empty());
        CHECK(finished.err.find(words) != std::string::npos);
        CHECK(std::count(finished.err.begin(), finished.err.end(), '\n') == 1);
    };
    const auto file = [&](const std::string& name, const std::string& text) {
        return write(name, text).string();
    };
    refused("describe " + file("torn.edges", "a b\nc d\n"), "torn.edges:2: the graph is not connected");
    refused("describe " + file("d.json", R"({"directed": 3, "nodes": [{"id": "a"}], "links": []})"),
            "directed");
    refused("describe " + (path() / "nowhere.edges").string(), "cannot be opened");
    refused("describe", "give a FILE or --kind");
    const auto ring = file("ring.edges", "a b\nb c\nc a\n");
    for (const std::string ending : {"gml", "gexf", "net", "pdf"}) {
        const auto out = (path() / ("out." + ending)).string();
        refused("convert " + ring + " --out " + out,
                out + ": no format has this ending; say which with --to");
        CHECK_FALSE(fs::exists(out));
        refused("generate --kind ring --nodes 5 --out " + out, "no format has this ending");
    }
    refused("describe " + file("ring.gml", "graph []"), "ring.gml: GML is not read");
    refused("generate --kind hypercube --nodes 63 --out " + (path() / "x.json").string(), "power");
    CHECK_FALSE(fs::exists(path() / "x.json"));
}
