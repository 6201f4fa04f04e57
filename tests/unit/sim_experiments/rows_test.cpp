#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "sample.hpp"
#include "sim/report/rows_file.hpp"

using namespace unlearn::sim::report;
using unlearn::sim::report::test::contains;

namespace {

/// A folder that is gone at the end of the test.
class Folder {
  public:
    Folder() {
        path_ = std::filesystem::temp_directory_path() / ("unlearn-rows-" + std::to_string(getpid()));
        std::filesystem::create_directories(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] std::filesystem::path file(const std::string& name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string error_of(const std::string& lines) {
    const Folder folder;
    const auto file = folder.file("results.jsonl");
    std::ofstream(file) << lines;
    const auto rows = read_rows(file);
    REQUIRE_FALSE(rows);
    return rows.error().message.substr(file.string().size());
}

}  // namespace

TEST_CASE("labels read as people write them") {
    CHECK(to_text(std::string("small-world")) == "small-world");
    CHECK(to_text(3.0) == "3");
    CHECK(to_text(0.05) == "0.05");
    CHECK(to_text(100000.0) == "100000");
    CHECK(to_text(-12.5) == "-12.5");
    CHECK(to_text(0.1 + 0.2) == "0.30000000000000004");
    CHECK(to_text(1e300) == "1e+300");
}

TEST_CASE("JSON Lines read back the same") {
    const Folder folder;
    const std::vector<Row> rows = {
        {"accuracy", 0.1 + 0.2, {{"topology", std::string("a \"quoted\",\nword \u00e9")}, {"seed", 3.0}}},
        {"bytes", 123456789012.0, {{"3", std::string("3")}, {"rate", 1e-9}}},
        {"missing", std::numeric_limits<double>::quiet_NaN(), {}},
        {"never", std::numeric_limits<double>::infinity(), {}}};
    REQUIRE(write_rows_jsonl(folder.file("r.jsonl"), rows));
    const auto again = read_rows(folder.file("r.jsonl"));
    REQUIRE(again);
    REQUIRE(again->size() == rows.size());
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK((*again)[i].metric == rows[i].metric);
        CHECK((*again)[i].value == rows[i].value);
        CHECK((*again)[i].labels == rows[i].labels);
    }
    CHECK(std::isnan((*again)[2].value));
    CHECK(std::isnan((*again)[3].value));
    CHECK_FALSE(std::filesystem::exists(folder.file("r.jsonl.unfinished")));
}

TEST_CASE("JSON Lines are as documented") {
    const Folder folder;
    REQUIRE(write_rows_jsonl(
        folder.file("r.jsonl"),
        {{"accuracy",
          0.857,
          {{"topology", std::string("ring")}, {"seed", 3.0}, {"method", std::string("hdus")}}}}));
    CHECK(content(folder.file("r.jsonl")) ==
          "{\"metric\":\"accuracy\",\"value\":0.857,\"method\":\"hdus\",\"seed\":3,\"topology\":\"ring\"}\n");
}

TEST_CASE("a broken line is named") {
    const std::string good = "{\"metric\":\"a\",\"value\":1}\n\n";
    CHECK(error_of(good + "{\"metric\":\"a\",\"val") == ":3: is not JSON (was it cut off?)");
    CHECK(error_of("[1]") == ":1: is not an object");
    CHECK(error_of(good + "{\"value\":1}") == ":3: \"metric\" is missing");
    CHECK(error_of("{\"metric\":\"a\"}") == ":1: \"value\" is missing");
    CHECK(error_of("{\"metric\":1,\"value\":1}") == ":1: \"metric\" must be a text");
    CHECK(error_of("{\"metric\":\"a\",\"value\":\"1\"}") == ":1: \"value\" must be a number or null");
    CHECK(error_of(good + good + "{\"metric\":\"a\",\"value\":1,\"seed\":[1]}") ==
          ":5: label \"seed\" must be a text or a number");
}

TEST_CASE("files that cannot be read or written are named") {
    const auto rows = read_rows("/nowhere/r.jsonl");
    REQUIRE_FALSE(rows);
    CHECK(rows.error().message == "/nowhere/r.jsonl: cannot be read");
    const auto written = write_rows_csv("/nowhere/r.csv", {});
    REQUIRE_FALSE(written);
    CHECK(contains(written.error().message, "/nowhere/r.csv"));
}

TEST_CASE("a label cannot take the place of the value") {
    const Folder folder;
    const auto written = write_rows_jsonl(folder.file("r.jsonl"), {{"a", 1.0, {{"value", 2.0}}}});
    REQUIRE_FALSE(written);
    CHECK(contains(written.error().message, "\"value\""));
    CHECK_FALSE(std::filesystem::exists(folder.file("r.jsonl")));
}

TEST_CASE("a name that is no UTF-8 does not cost the results") {
    const Folder folder;
    REQUIRE(write_rows_jsonl(folder.file("r.jsonl"), {{"a", 1.0, {{"node", std::string("x\xff")}}}}));
    CHECK(read_rows(folder.file("r.jsonl")));
}

TEST_CASE("CSV has a column for every label and quotes what needs it") {
    const Folder folder;
    REQUIRE(write_rows_csv(
        folder.file("r.csv"),
        {{"accuracy", 0.5, {{"topology", std::string("ring, \"old\"")}, {"seed", 1.0}}},
         {"two\nlines", std::numeric_limits<double>::quiet_NaN(), {{"a", std::string("x")}}}}));
    CHECK(content(folder.file("r.csv")) ==
          "metric,value,a,seed,topology\r\n"
          "accuracy,0.5,,1,\"ring, \"\"old\"\"\"\r\n"
          "\"two\nlines\",,x,,\r\n");
}
