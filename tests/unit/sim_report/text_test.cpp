#include "sim/report/text.hpp"

#include <chrono>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "sim/report/program.hpp"

using namespace unlearn::sim::report;
using namespace std::chrono_literals;

TEST_CASE("numbers read as people write them") {
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(140000) == "140,000");
    CHECK(grouped(1234567) == "1,234,567");
    CHECK(counted(1, "node") == "1 node");
    CHECK(counted(8, "node") == "8 nodes");
    CHECK(percent(0.8574) == "85.7");
    CHECK(percent(nothing) == "-");
    CHECK(points(0.021) == "+2.1");
    CHECK(points(-0.0001) == "+0.0");
    CHECK(points(nothing) == "-");
    CHECK(milliseconds(0.431) == "0.43 ms");
    CHECK(milliseconds(1200) == "1.20 s");
    CHECK(seconds(185.2) == "3 min 05 s");
    CHECK(seconds(119.97) == "2 min 00 s");
    CHECK(bytes(512) == "512 B");
    CHECK(bytes(3'290'000) == "3.3 MB");
    CHECK(bytes(999'999) == "1.0 MB");
    CHECK(cut_to("node-1", 6) == "node-1");
    CHECK(cut_to("node-12", 6) == "node..");
}

TEST_CASE("lists read as sentences") {
    CHECK(list(std::vector<std::string>{}).empty());
    CHECK(list(std::vector<std::string>{"a"}) == "a");
    CHECK(list(std::vector<std::string>{"a", "b", "c"}) == "a, b and c");
    CHECK(list(std::vector<std::string>(10, "x"), 2) == "x, x and 8 more");
}

TEST_CASE("nothing of a text is HTML any more") {
    CHECK(escape_html("<a b=\"c\" d='e'>&\n") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp; ");
    CHECK(escape_html("caf\xc3\xa9") == "caf\xc3\xa9");
}

TEST_CASE("a program answers, is missing, fails, or is stopped") {
    const std::string much(1 << 20, 'x');
    CHECK(run_program({"cat"}, much, 10s) == much);
    CHECK(run_program({"true"}, much, 10s) == "");
    CHECK_FALSE(run_program({"unlearnd-no-such-program"}, "", 10s));
    CHECK_FALSE(run_program({"false"}, "", 10s));
    const auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(run_program({"sleep", "60"}, "", 100ms));
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
    CHECK_FALSE(run_program({"yes"}, "", 10s));  // more than anybody asked for
}
