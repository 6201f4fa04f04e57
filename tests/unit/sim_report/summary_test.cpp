#include <sstream>

#include <doctest/doctest.h>

#include "sample.hpp"
#include "sim/report/run_report.hpp"

using namespace unlearn;
using sim::report::test::sample_result;

namespace {

std::string summary(const nlohmann::json& result, const sim::report::Terminal& terminal = {}) {
    std::ostringstream out;
    sim::report::print_summary(sim::report::read_result(result).value(), out, terminal);
    return out.str();
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// One line again, however the words were wrapped.
std::string unwrapped(std::string text) {
    for (std::size_t at = text.find("\n  "); at != std::string::npos; at = text.find("\n  "))
        text.replace(at, 3, " ");
    return text;
}

}  // namespace

TEST_CASE("the table shows accuracies, the exit, the cost and the verdict") {
    const std::string text = unwrapped(summary(sample_result()));
    CAPTURE(text);
    CHECK(contains(text, "quickstart, seed 1: 8 nodes"));
    CHECK(contains(text, "+2.1"));
    CHECK(contains(text, "Exit of node-3"));
    CHECK(contains(text, "3 of 3 sent a receipt"));
    CHECK(contains(text, "99th percentile 7.80 ms"));
    CHECK(contains(text, "overhead 0.98 %"));
    CHECK(contains(text, "Forgotten, exactly"));
    CHECK(contains(text, "140,000 predictions of 7 survivors"));
    CHECK(contains(text, "kept a copy"));
}

TEST_CASE("the table fits and is plain where the terminal is") {
    for (const int width : {40, 80, 200}) {
        std::istringstream lines(summary(sample_result(), {.width = width}));
        for (std::string line; std::getline(lines, line);) {
            CAPTURE(line);
            CHECK(line.size() <= (width == 200 ? 100 : 80));
            for (const char c : line)
                CHECK((c >= ' ' && c <= '~'));
        }
    }
    CHECK(contains(summary(sample_result(), {.unicode = true}), "\u2713"));
    CHECK(contains(summary(sample_result(), {.colour = true}), "\033[1;32m"));
}

TEST_CASE("failure is said in words") {
    nlohmann::json result = sample_result();
    result["exactness"]["vacuous"] = {"node-2"};
    CHECK(contains(unwrapped(summary(result)), "NOT PROVED: the comparison is vacuous"));
    CHECK(contains(unwrapped(summary(result)), "node-2"));

    result = sample_result();
    result["exactness"]["bit_identical"] = false;
    result["exactness"]["differing"] = 7;
    CHECK(contains(unwrapped(summary(result)), "NOT FORGOTTEN"));
    CHECK(contains(unwrapped(summary(result)), "7 of 140,000 predictions"));
    CHECK_FALSE(contains(summary(result), "Forgotten, exactly"));

    result = sample_result();
    result["exits"][0]["missing"] = {"node-2"};
    result["exits"][0]["receipts"] = 2;
    CHECK(contains(unwrapped(summary(result)), "MISSING: no receipt from node-2"));
    CHECK(contains(unwrapped(summary(result)), "INCOMPLETE"));
}

TEST_CASE("seeds that are held aside are named once for all their holders, with the reason") {
    nlohmann::json result = sample_result();
    CHECK_FALSE(contains(summary(result), "Held aside"));
    result["held_aside"] = {
        {{"holder", "node-0"}, {"owner", "node-1"}, {"why", "hardly depends on the input"}},
        {{"holder", "node-2"}, {"owner", "node-1"}, {"why", "hardly depends on the input"}},
        {{"holder", "node-3"}, {"owner", "node-1"}, {"why", "does harm"}}};
    const std::string text = unwrapped(summary(result));
    CHECK(contains(text, "Held aside: 3 seeds"));
    CHECK(contains(text, "That of node-1 by node-0 and node-2: hardly depends on the input."));
    CHECK(contains(text, "That of node-1 by node-3: does harm."));
    CHECK_FALSE(contains(text, "more"));
    for (int i = 0; i < 10; ++i)
        result["held_aside"].push_back(
            {{"holder", "node-0"}, {"owner", "x" + std::to_string(i)}, {"why", "does harm"}});
    CHECK(contains(unwrapped(summary(result)), "and those of 8 more"));
}

TEST_CASE("why a receipt is missing is said where it is known") {
    nlohmann::json result = sample_result();
    result["exits"][0]["missing"] = {"node-2"};
    result["exits"][0]["why_missing"] = {{"node-2", "store-failed: disk full"}};
    CHECK(contains(unwrapped(summary(result)), "node-2: store-failed: disk full."));
}

TEST_CASE("a name cannot command the terminal") {
    nlohmann::json result = sample_result();
    result["scenario"] = "x\033[2Jy";
    result["nodes"][0]["name"] = "a\nb\033";
    const std::string text = summary(result);
    CHECK_FALSE(contains(text, "\033"));
    CHECK(contains(text, "x?[2Jy"));
}

TEST_CASE("many nodes and holes do no harm") {
    nlohmann::json result = sample_result();
    for (int i = 0; i < 100; ++i)
        result["nodes"].push_back(result["nodes"][0]);
    CHECK(contains(summary(result), "and 84 more"));
    CHECK(contains(summary({{"schema", 1}}), "Nobody left"));
}
