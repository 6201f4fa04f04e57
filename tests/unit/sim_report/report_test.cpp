#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "sample.hpp"
#include "sim/report/graph_drawing.hpp"
#include "sim/report/run_report.hpp"
#include "sim/report/verdict.hpp"

using namespace unlearn;
using sim::report::test::sample_graph;
using sim::report::test::sample_result;

namespace {

std::string render(const nlohmann::json& result, const topologies::Graph& graph = sample_graph()) {
    const auto read = sim::report::read_result(result);
    REQUIRE(read);
    return sim::report::render_report(*read, graph);
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// What is wrong with the nesting of the page's tags, or nothing. Understands what the report writes: no
/// scripts, no comments, attributes in double quotes.
std::string imbalance(const std::string& page) {
    const std::set<std::string> empty_elements = {"meta", "br", "hr", "img"};
    std::vector<std::string> open;
    for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
        const std::size_t end = page.find('>', at);
        if (end == std::string::npos) return "a tag is not closed";
        std::string tag = page.substr(at + 1, end - at - 1);
        if (tag.rfind("!DOCTYPE", 0) == 0) continue;
        if (contains(tag, "<")) return "a tag in a tag: " + tag;
        const bool closing = tag.front() == '/';
        const bool closed = tag.back() == '/';
        std::string name;
        for (const char c : tag.substr(closing ? 1 : 0)) {
            if (std::isalnum(static_cast<unsigned char>(c)) == 0) break;
            name += c;
        }
        if (name.empty()) return "a tag without a name: " + tag;
        if (closed || empty_elements.contains(name)) continue;
        if (!closing) {
            open.push_back(name);
        } else if (open.empty() || open.back() != name) {
            return "</" + name + "> closes " + (open.empty() ? "nothing" : "<" + open.back() + ">");
        } else {
            open.pop_back();
        }
    }
    return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

sim::report::Verdict judge(const nlohmann::json& result) {
    return sim::report::judge(sim::report::read_result(result).value());
}

}  // namespace

TEST_CASE("the page holds what a user came to see") {
    const std::string page = render(sample_result());
    CHECK(imbalance(page) == "");
    CHECK(contains(page, "class=\"verdict good\""));
    CHECK(contains(page, "Forgotten, exactly"));
    CHECK(contains(page, "140,000 predictions of 7 survivors"));
    CHECK(contains(page, "in a world in which"));
    CHECK(contains(page, "removed from this network&#39;s predictions"));
    CHECK(contains(page, "no dishonest holder kept a copy"));
    CHECK(contains(page, "class=\"node left\""));
    CHECK(contains(page, "class=\"ring\""));
    CHECK(contains(page, "certificate-node-3.json"));
    CHECK(contains(page, "7.80 ms"));
    CHECK(contains(page, "0.98 %"));
    CHECK(contains(page, "counterfactual"));
    CHECK(contains(page, "cnn:16-32"));
    for (int i = 0; i < 8; ++i)
        CHECK(contains(page, "node-" + std::to_string(i)));
    CHECK_FALSE(contains(page, "nan"));
}

TEST_CASE("the page needs nothing else") {
    const std::string page = render(sample_result());
    for (const char* outside : {"http:", "https:", "<script", "<link", "@import", "url(", "src="}) {
        CAPTURE(outside);
        CHECK_FALSE(contains(page, outside));
    }
}

TEST_CASE("no string of the result becomes part of the page's code") {
    const std::string evil = "<script>alert(1)</script>\"'";
    nlohmann::json result = sample_result();
    topologies::Graph graph = sample_graph();
    graph.names[0] = evil;
    result["scenario"] = evil;
    result["machine"]["cpu"] = evil;
    result["software"][evil] = evil;
    result["nodes"][0]["name"] = evil;
    result["nodes"][0]["main_architecture"] = evil;
    result["nodes"][0]["missing_classes"] = {evil};
    result["exits"][0]["node"] = evil;
    result["exits"][0]["missing"] = {evil};
    result["exits"][0]["per_holder"][0]["node"] = evil;
    result["exits"][0]["certificate"] = evil;
    result["exactness"]["vacuous"] = {evil};
    result["exactness"]["violation"] = evil;
    result["traffic"]["by_kind"][evil] = {{"messages", 1}, {"bytes", 1}};
    result["seconds"][evil] = 1.0;
    const std::string page = render(result, graph);
    CHECK_FALSE(contains(page, "<script"));
    CHECK(contains(page, "&lt;script&gt;"));
    CHECK(imbalance(page) == "");
}

TEST_CASE("a difference is a visibly failing headline") {
    nlohmann::json result = sample_result();
    result["exactness"]["differing"] = 12;
    result["exactness"]["bit_identical"] = false;
    std::string page = render(result);
    CHECK(contains(page, "class=\"verdict bad\""));
    CHECK_FALSE(contains(page, "class=\"verdict good\""));
    CHECK(contains(page, "NOT FORGOTTEN"));
    CHECK(contains(page, "12 of 140,000 predictions"));
    CHECK(contains(page, "is not removed from"));
    CHECK_FALSE(contains(page, "is removed from"));

    result["exactness"]["violation"] = "fused-cache";
    page = render(result);
    CHECK(contains(page, "fused-cache"));
    CHECK(contains(page, "on purpose"));
}

TEST_CASE("a holder without a receipt is marked") {
    nlohmann::json result = sample_result();
    CHECK_FALSE(contains(render(result), "class=\"ring silent\""));
    result["exits"][0]["missing"] = {"node-2"};
    const std::string page = render(result);
    CHECK(contains(page, "class=\"ring silent\""));
    CHECK(contains(page, "held it, and sent no receipt"));
    CHECK(contains(page, "class=\"verdict warn\""));
}

TEST_CASE("seeds that are held aside have a table, and missing receipts their reason") {
    nlohmann::json result = sample_result();
    CHECK_FALSE(contains(render(result), "held aside"));
    result["held_aside"] = {{{"holder", "node-0"}, {"owner", "node-1"}, {"why", "does <b>harm</b>"}}};
    result["exits"][0]["missing"] = {"node-2"};
    result["exits"][0]["why_missing"] = {{"node-2", "store-failed: disk full"}};
    const std::string page = render(result);
    CHECK(imbalance(page) == "");
    CHECK(contains(page, "held aside"));
    CHECK(contains(page, "does &lt;b&gt;harm"));
    CHECK(contains(page, "store-failed: disk full"));
}

TEST_CASE("every outcome is told apart") {
    nlohmann::json result = sample_result();
    CHECK(judge(result).outcome == sim::report::Outcome::forgotten);

    nlohmann::json changed = result;
    changed["exactness"]["vacuous"] = {"node-2"};
    CHECK(judge(changed).outcome == sim::report::Outcome::vacuous);
    CHECK(contains(judge(changed).detail, "node-2"));
    CHECK_FALSE(judge(changed).good());

    changed = result;
    changed["exactness"]["violation"] = "shared-stream";
    CHECK(judge(changed).outcome == sim::report::Outcome::unnoticed);

    changed = result;
    changed["exits"][0]["missing"] = {"node-4"};
    CHECK(judge(changed).outcome == sim::report::Outcome::incomplete);
    CHECK(contains(judge(changed).detail, "node-4"));

    changed = result;
    changed["exactness"]["checked"] = false;
    CHECK(judge(changed).outcome == sim::report::Outcome::not_checked);

    changed = result;
    changed["exactness"]["predictions"] = 0;
    CHECK(judge(changed).outcome == sim::report::Outcome::vacuous);

    changed = result;
    changed["exactness"]["differing"] = 1;  // contradicts bit_identical: believe the worse
    CHECK(judge(changed).outcome == sim::report::Outcome::different);

    changed = result;
    changed["exits"] = nlohmann::json::array();
    CHECK(judge(changed).outcome == sim::report::Outcome::nobody_left);
    CHECK(imbalance(render(changed)) == "");
}

TEST_CASE("a result with holes still makes a page") {
    const std::string page = render({{"schema", 1}, {"scenario", "x"}, {"exits", {{{"node", "node-1"}}}}});
    CHECK(imbalance(page) == "");
    CHECK(contains(page, "NOT CHECKED"));
    CHECK_FALSE(contains(page, "nan"));
}

TEST_CASE("what is not a result of schema 1 is refused") {
    CHECK_FALSE(sim::report::read_result(nlohmann::json::array()));
    const auto newer = sim::report::read_result({{"schema", 2}});
    REQUIRE_FALSE(newer);
    CHECK(contains(newer.error().message, "schema '2'"));
}

TEST_CASE("a result that is read and written again has every member that it had") {
    nlohmann::json result = sample_result();
    result["processes"] = true;
    result["transport"] = "virtual";
    result["held_aside"] = {{{"holder", "node-1"}, {"owner", "node-2"}, {"why", "worse than chance"}}};
    result["exits"][0]["why_missing"] = {{"node-4", "peer-down"}};
    for (auto& node : result["nodes"])
        node["missing_classes"] = {"3", "4"};
    SUBCASE("compared") {}
    SUBCASE("with a rule broken on purpose") {
        result["exactness"]["violation"] = "fused-cache";
    }
    SUBCASE("not compared") {
        result["exactness"] = {{"checked", false}, {"reason", "processes"}};
    }
    SUBCASE("without times") {
        result["exits"][0].erase("time_to_forget_ms");
        result["exits"][0]["per_holder"] = nlohmann::json::array();
    }
    SUBCASE("with numbers that were not measured") {
        result["nodes"][0]["rho"] = nullptr;
        result["traffic"]["bytes"] = nullptr;
    }
    const auto text = to_json(sim::report::read_result(result).value()).dump();
    CHECK(nlohmann::json::parse(text) == result);
}

TEST_CASE("a graph is drawn inside its frame, whoever lays it out") {
    const topologies::Graph graph = sample_graph();
    for (const auto& layout : {sim::report::lay_out(graph), sim::report::circle(graph)}) {
        REQUIRE(layout.points.size() == graph.size());
        for (const auto& point : layout.points) {
            CHECK(point.x >= 0.0);
            CHECK(point.x <= 1.0);
            CHECK(point.y >= 0.0);
            CHECK(point.y <= 1.0);
        }
    }
    const auto one = topologies::make_graph({"only"}, {}).value();
    CHECK(imbalance(sim::report::draw_graph(one, sim::report::lay_out(one), {sim::report::NodeMark::left})) ==
          "");
}

TEST_CASE("without Graphviz the page says that it drew a circle") {
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", "/nonexistent", 1);
    const std::string page = render(sample_result());
    ::setenv("PATH", path.c_str(), 1);
    CHECK(contains(page, "Drawn on a circle"));
    CHECK(imbalance(page) == "");
}
