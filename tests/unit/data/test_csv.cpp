#include <doctest/doctest.h>

#include "node/learning/data/csv.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

using namespace unlearn::learning;

Result<LabelledData> read(const std::string& text, const CsvOptions& options = {}) {
    const unlearn::testing::TemporaryFolder folder;
    return load_csv(folder.write("t.csv", text), options);
}

// What follows the folder's name in the error.
std::string error_for(const std::string& text, const CsvOptions& options = {}) {
    const auto data = read(text, options);
    if (data) return "";
    return data.error().message.substr(data.error().message.find("t.csv") + 5);
}

}  // namespace

TEST_CASE("a table with a header and quoted fields is read by the label's name") {
    const auto data =
        read("a,\"the, kind\",b\r\n1,\"dog \"\"x\"\"\",-2.5e1\r\n 0.5 ,cat,+3\r\n", {.label = "the, kind"});
    REQUIRE(data);
    CHECK(data->shape == InputShape{1, 1, 2});
    CHECK(data->features == std::vector<float>{1.0F, -25.0F, 0.5F, 3.0F});
    CHECK(data->class_names == std::vector<std::string>{"cat", "dog \"x\""});
    CHECK(data->labels == std::vector<std::int64_t>{1, 0});
}

TEST_CASE("a header is recognised by features that are not numbers") {
    CHECK(read("1,2,3\n4,5,6\n")->count == 2);
    CHECK(read("y,x1,x2\n4,5,6\n")->count == 1);
    CHECK(read("setosa,5,6\n")->count == 1);
    CHECK(error_for("y,x1\n") == ": holds a header but no rows");
    CHECK(error_for("") == ": holds no rows");
    CHECK(error_for("\n\n") == ": holds no rows");
}

TEST_CASE("integer labels are ordered as numbers, and test data uses the training data's classes") {
    CHECK(read("10,0\n9,0\n-1,0\n")->class_names == std::vector<std::string>{"-1", "9", "10"});
    const CsvOptions known{.class_names = {"9", "10"}};
    CHECK(read("10,0\n", known)->labels == std::vector<std::int64_t>{1});
    CHECK(error_for("10,0\n11,0\n", known) == ":2:1: \"11\" is not one of the known classes");
}

TEST_CASE("an unusable table gives its line and column") {
    CHECK(error_for("1,2,3\n4,5\n") == ":2:1: has 2 fields, expected 3");
    CHECK(error_for("1,2,3\n4,5,x6\n") == ":2:5: \"x6\" is not a finite number");
    CHECK(error_for("1,2,3\n4,\"5\n6\",6\n") == ":2:3: \"5?6\" is not a finite number");
    CHECK(error_for("1,2,3\n4,,6\n") == ":2:3: \"\" is not a finite number");
    CHECK(error_for("1,2,3\n4,nan,6\n") == ":2:3: \"nan\" is not a finite number");
    CHECK(error_for("1,2,3\n4,1e99,6\n") == ":2:3: \"1e99\" is not a finite number");
    CHECK(error_for("1,2,3\n4,5,\"6\n") == ":2:5: a quoted field never ends");
    CHECK(error_for("1,2,3\n4,\"5\"6,6\n") == ":2:6: text after a quoted field");
    CHECK(error_for("1,2\n,5\n") == ":2:1: the label is empty");
    CHECK(error_for("1,2,3\n4,5,") == ":2:5: \"\" is not a finite number");
    CHECK(error_for("7\n") == ":1:1: a row needs a label and at least one feature");
    CHECK(error_for("1,2\n", {.label = std::size_t{2}}) ==
          ": label column 2 does not exist; rows have 2 fields");
    CHECK(error_for("a,b\n1,2\n", {.label = "c"}) == ":1: the header names no column \"c\"");
    CHECK(error_for("a,a\n1,2\n", {.label = "a"}) == ":1: the header names column \"a\" twice");
    CHECK(error_for("1,2,3\n", {.shape = InputShape{1, 2, 2}}) ==
          ": has 2 feature columns, but the input shape asks for 4");
}
