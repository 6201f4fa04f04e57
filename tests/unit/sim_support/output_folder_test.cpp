#include "sim/support/output_folder.hpp"

#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"

using namespace unlearn::sim::support;

namespace fs = std::filesystem;

TEST_CASE("a file is written whole or not at all") {
    const unlearn::testing::TemporaryFolder folder;
    const fs::path file = folder.path() / "page.html";
    REQUIRE(write_file(file, "earlier"));
    REQUIRE(write_file(file, "later"));
    std::ifstream in(file);
    CHECK(std::string{std::istreambuf_iterator<char>(in), {}} == "later");
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);

    const auto failed = write_file("/nonexistent/page.html", "text");
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find("/nonexistent/page.html") == 0);
}

TEST_CASE("a folder of an earlier run is emptied, and one that holds anything else is left alone") {
    const unlearn::testing::TemporaryFolder folder;
    const fs::path ours = folder.path() / "ours";
    REQUIRE(prepare_output_folder(ours));
    REQUIRE(write_file(ours / "old", "text"));
    REQUIRE(open_output_folder(ours));
    CHECK(fs::exists(ours / "old"));
    REQUIRE(prepare_output_folder(ours));
    CHECK_FALSE(fs::exists(ours / "old"));

    const fs::path theirs = folder.path() / "theirs";
    fs::create_directory(theirs);
    std::ofstream(theirs / "thesis.tex") << "text";
    const auto refused = prepare_output_folder(theirs);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find(theirs.string()) == 0);
    CHECK(fs::exists(theirs / "thesis.tex"));
}
