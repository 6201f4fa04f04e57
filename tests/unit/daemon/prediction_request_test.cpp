#include "node/daemon/prediction_request.hpp"

#include <doctest/doctest.h>

using namespace unlearn;
using daemon::HttpRequest;
using daemon::read_prediction;

namespace {

std::string refusal_of(const std::string& body) {
    const auto read = read_prediction({"POST", "/v1/predict", {}, body});
    return read ? "" : read.error().detail;
}

}  // namespace

TEST_CASE("rows, names of columns and the prior of a request are read, in either order") {
    const auto read = read_prediction({"POST",
                                       "/v1/predict",
                                       {{"prior", "uniform"}},
                                       R"({"columns": ["a", "b"], "inputs": [[1, -2.5], [3e2, 0]]})"});
    REQUIRE(read);
    CHECK(read->rows == 2);
    CHECK(read->features == std::vector<float>{1.0F, -2.5F, 300.0F, 0.0F});
    CHECK(read->columns == std::vector<std::string>{"a", "b"});
    CHECK(read->prior == learning::Prior::uniform);
    const auto turned = read_prediction({"POST", "/v1/predict", {}, R"({"inputs":[[7]],"columns":["a"]})"});
    REQUIRE(turned);
    CHECK(turned->columns == std::vector<std::string>{"a"});
    CHECK(turned->prior == learning::Prior::own);
}

TEST_CASE("of a name that is given twice the last value counts") {
    const auto read = read_prediction({"POST", "/v1/predict", {}, R"({"inputs":[[1,2]],"inputs":[[3]]})"});
    REQUIRE(read);
    CHECK(read->rows == 1);
    CHECK(read->features == std::vector<float>{3.0F});
}

TEST_CASE("a request that cannot be used is refused in one line that says where") {
    const std::string no_object = "the body must be a JSON object";
    const std::string no_rows = "inputs: must be a list of rows of numbers";
    const std::string no_names = "columns: must be a list of names";
    const std::pair<std::string, std::string> cases[] = {
        {"", no_rows},
        {"{}", no_rows},
        {"[]", no_object},
        {"3", no_object},
        {"null", no_object},
        {"{\"inputs\": [[1]]", no_object},
        {"{\"inputs\": [[1]]} x", no_object},
        {"{\"inputs\": [[1e999]]}", no_object},
        {R"({"inputs": 3})", no_rows},
        {R"({"inputs": "x"})", no_rows},
        {R"({"inputs": {}})", no_rows},
        {R"({"inputs": []})", "inputs: no rows"},
        {R"({"inputs": [1]})", "inputs: row 1 is not a list"},
        {R"({"inputs": [[1], {}]})", "inputs: row 2 is not a list"},
        {R"({"inputs": [[1, null]]})", "inputs: row 1 has a value that is not a number"},
        {R"({"inputs": [[1], ["x"]]})", "inputs: row 2 has a value that is not a number"},
        {R"({"inputs": [[[1]]]})", "inputs: row 1 has a value that is not a number"},
        {R"({"inputs": [[{}]]})", "inputs: row 1 has a value that is not a number"},
        {R"({"inputs": [[true]]})", "inputs: row 1 has a value that is not a number"},
        {R"({"inputs": [[1e39]]})", "inputs: row 1 has a value that is not a number"},
        {R"({"inputs": [[1, 2], [3]]})", "inputs: row 2 has another length than the first"},
        {R"({"inputs": [[1e25]]})",
         "inputs: row 1 has a number that is too large: does it stand for a missing value?"},
        {R"({"inputs": [[1]], "columns": []})", no_names},
        {R"({"inputs": [[1]], "columns": "a"})", no_names},
        {R"({"inputs": [[1]], "columns": [1]})", no_names},
        {R"({"inputs": [[1]], "columns": [["a"]]})", no_names},
        {R"({"inputs": [[1]], "columns": ["a", "a"]})", "columns: has a column twice"},
        {R"({"input": [[1]]})", "unknown name \"input\"; did you mean \"inputs\"?"},
    };
    for (const auto& [body, expected] : cases) {
        CAPTURE(body);
        CHECK(refusal_of(body) == expected);
    }
    const auto prior = read_prediction({"POST", "/v1/predict", {{"prior", "mine"}}, R"({"inputs": [[1]]})"});
    REQUIRE_FALSE(prior);
    CHECK(prior.error().detail == "prior: must be own or uniform");
}

TEST_CASE("a body that nests without end costs nothing") {
    CHECK(refusal_of(std::string(1'000'000, '[')) == "the body must be a JSON object");
    CHECK(refusal_of("{\"inputs\":" + std::string(1'000'000, '[')) ==
          "inputs: row 1 has a value that is not a number");
}

TEST_CASE("a request has at most 100,000 rows") {
    const auto rows = [](int count) {
        std::string body = "{\"inputs\":[[1]";
        for (int i = 1; i < count; ++i)
            body += ",[1]";
        return read_prediction({"POST", "/v1/predict", {}, body + "]}"});
    };
    REQUIRE(rows(100'000));
    CHECK(rows(100'000)->rows == 100'000);
    const auto refused = rows(100'001);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail == "inputs: more than 100000 rows; ask in several requests");
}
