#include "node/ctl/table.hpp"

#include <sstream>

#include <doctest/doctest.h>

namespace {

using namespace unlearn::ctl;
using nlohmann::json;

std::string printed(const Table& table) {
    std::ostringstream out;
    table.print(out);
    return out.str();
}

TEST_CASE("columns are as wide as their widest cell, and lines end without blanks") {
    Table table({{"NAME"}, {"COUNT", Align::right}, {"NOTE"}});
    table.add({"a", "7", ""});
    table.add({"longer", "12345678", "x"});
    CHECK(printed(table) ==
          "NAME       COUNT  NOTE\n"
          "a              7\n"
          "longer  12345678  x\n");
}

TEST_CASE("letters beyond ASCII count as one column each") {
    Table table({{"A"}, {"B"}});
    table.add({"\xc3\xa4\xc3\xb6", "1"});
    table.add({"xyz", "2"});
    CHECK(printed(table) == "A    B\n\xc3\xa4\xc3\xb6   1\nxyz  2\n");
}

TEST_CASE("what a daemon sends cannot steer the terminal") {
    CHECK(printable("a\x1b[2Jb\n\x7f") == "a?[2Jb??");
    CHECK(field(json{{"detail", "\x1b]0;x\a"}}, "detail") == "?]0;x?");
}

TEST_CASE("fields that are absent, null or of any type become text") {
    const json object{{"text", "t"}, {"none", nullptr}, {"yes", true}, {"number", 3}, {"part", 0.83725}};
    CHECK(field(object, "text") == "t");
    CHECK(field(object, "none") == "-");
    CHECK(field(object, "absent") == "-");
    CHECK(field(object, "yes") == "yes");
    CHECK(field(object, "number") == "3");
    CHECK(field(object, "part") == "0.8373");
    CHECK(field(json("not an object"), "text") == "-");
}

TEST_CASE("times, durations and sizes read as people write them") {
    CHECK(format_time(1'795'420'800) == "2026-11-23 08:00:00Z");
    CHECK(time_field(json{{"at", 1'795'420'800}}, "at") == "2026-11-23 08:00:00Z");
    CHECK(time_field(json{{"at", "2026-11-23T08:00:00Z"}}, "at") == "2026-11-23T08:00:00Z");
    CHECK(time_field(json{{"at", 0}}, "at") == "-");
    CHECK(format_duration(59) == "59 s");
    CHECK(format_duration(3'661) == "1 h 1 min");
    CHECK(format_duration(90'000) == "1 d 1 h");
    CHECK(format_bytes(1023) == "1023 B");
    CHECK(format_bytes(1536) == "1.5 KiB");
    CHECK(format_bytes(std::uint64_t{3} << 30) == "3.0 GiB");
}

}  // namespace
