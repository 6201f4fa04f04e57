#include <doctest/doctest.h>

#include "fake_daemon.hpp"
#include "node/ctl/rows.hpp"
#include "support.hpp"

namespace {

using namespace unlearn::ctl;
using nlohmann::json;

std::string problem(const std::string& text, const std::string& label = "") {
    std::istringstream in(text);
    const auto rows = read_rows("-", in, {.label = label});
    return rows ? "" : rows.error().message;
}

Rows rows_of(const std::string& text, const std::string& label = "") {
    std::istringstream in(text);
    return read_rows("-", in, {.label = label}).value();
}

TEST_CASE("rows are read with and without a header, and a label column is left out") {
    const Rows expected{{1, -2.5}, {3, 4}};
    CHECK(rows_of("1,-2.5\n3,4\n") == expected);
    CHECK(rows_of("a,b\r\n1,-2.5\r\n\r\n3,4") == expected);
    CHECK(rows_of("a,class,b\n1,cat,-2.5\n3,dog,4\n", "class") == expected);
    CHECK(rows_of("cat,1,-2.5\ndog,3,4\n", "0") == expected);
    CHECK(rows_of("\"a\",\"b\"\n\"1\", -2.5 \n+3,4\n") == expected);
}

TEST_CASE("what is no row is named by its line") {
    CHECK(problem("1,2\n3\n") == "standard input:2:1: has 1 fields, expected 2");
    CHECK(problem("1,2\n3,x\n") == "standard input:2:3: \"x\" is not a finite number");
    CHECK(problem("1,2\n3,inf\n") == "standard input:2:3: \"inf\" is not a finite number");
    CHECK(problem("1,2\n3,\n") == "standard input:2:3: \"\" is not a finite number");
    CHECK(problem("a,b\n") == "standard input: holds a header but no rows");
    CHECK(problem("") == "standard input: holds no rows");
    CHECK(problem("a,b\n1,2\n", "c") == "standard input: there is no column \"c\"");
    CHECK(problem("1,2\n", "2") == "standard input: label column 2 does not exist; rows have 2 fields");
}

TEST_CASE("a label column is found below the line in which spreadsheets name the separator") {
    CHECK(rows_of("sep=;\nclass;x;y\ncat;1;2\n", "class") == Rows{{1, 2}});
    // Also where it is only missed.
    std::istringstream in("sep=;\nclass;x;y\n0;1;2\n");
    const auto refused = read_rows("-", in, {.columns = {"x", "y"}, .label_of_node = "class"});
    REQUIRE_FALSE(refused);
    CHECK_MESSAGE(refused.error().message.ends_with("leave it out with --label class"),
                  refused.error().message);
}

TEST_CASE("columns are matched with those of the node by their names") {
    const auto read = [](const std::string& text, const std::string& label = "") {
        std::istringstream in(text);
        return read_rows("-", in, {.label = label, .columns = {"x", "y"}, .label_of_node = "class"});
    };
    const Rows expected{{1, 2}, {3, 4}};
    CHECK(read("x,y\n1,2\n3,4\n").value() == expected);
    CHECK(read("y;x\n2;1\n4;3\n").value() == expected);
    CHECK(read("1,2\n3,4\n").value() == expected);
    CHECK(read("class,y,x\ncat,2,1\ndog,4,3\n", "class").value() == expected);
    CHECK(read("y,class,x\n2,,1\n4,,3\n", "1").value() == expected);
    const auto refusal = [&](const std::string& text) { return read(text).error().message; };
    CHECK(refusal("y\n2\n") == "standard input:1: lacks column \"x\", which the network has");
    CHECK(refusal("y,x,z\n2,1,0\n") == "standard input:1: has column \"z\", which the network does not have");
    CHECK(refusal("y,class,x\n2,0,1\n") ==
          "standard input:1: has column \"class\", which the network does not have; column \"class\" is the "
          "class: leave it out with --label class");
    CHECK(refusal("1,2,0\n") ==
          "standard input:1: has 3 columns, and the network has 2; if one of them is the class, leave it out "
          "with --label and its number, from 0");
    CHECK(refusal("1,2,3,4\n") == "standard input:1: has 4 columns, and the network has 2");
}

TEST_CASE("IDX images come in bytes as they are") {
    const std::string header("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02", 16);
    CHECK(rows_of(header + std::string("\0\xff\x01\x02", 4)) == Rows{{0, 255}, {1, 2}});
    CHECK(problem(header + "abc") == "standard input: ends after 3 of 4 announced bytes");
    CHECK(problem(header + "abcde") != "");
    CHECK(problem(header.substr(0, 9)).find("inside the IDX header") != std::string::npos);
    CHECK(problem(std::string("\0\0\x08\x01\0\0\0\x02", 8) + "ab") != "");
    CHECK(problem(std::string("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16)) != "");
}

/// A node that calls its columns this, and takes rows for cats and dogs by whether their first number is
/// even.
std::function<FakeDaemon::Answer(const FakeDaemon::Request&)> cats_and_dogs(
    const std::vector<std::string>& columns) {
    return [columns](const FakeDaemon::Request& request) {
        if (request.verb == "GET")
            return FakeDaemon::Answer{200, json{{"data", {{"columns", columns}}}}.dump()};
        json answer{{"labels", json::array()},
                    {"probabilities", json::array()},
                    {"class_names", {"cat", "dog"}},
                    {"rho", 0.5},
                    {"participants", {{{"owner", "abcdefghijklm"}, {"version", 3}}}}};
        const auto body = json::parse(request.body);
        for (const auto& row : body["inputs"]) {
            const int label = row[0].get<int>() % 2;
            answer["labels"].push_back(label);
            answer["probabilities"].push_back({label == 0 ? 0.75 : 0.25, label == 0 ? 0.25 : 0.75});
        }
        return FakeDaemon::Answer{200, answer.dump()};
    };
}

TEST_CASE("many rows are asked in several requests and answered as one") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    const FakeDaemon daemon(socket, cats_and_dogs({"n"}));
    std::string text;
    for (int i = 0; i < 300; ++i)
        text += std::to_string(i) + "\n";
    const auto file = folder.write("rows.csv", text);
    const auto asked = call({"predict", file, "--prior", "own", "--json", "--socket", socket});
    REQUIRE(asked.err == "");
    const auto shown = json::parse(asked.out);
    REQUIRE(shown["labels"].size() == 300);
    CHECK(shown["labels"][299] == 1);
    CHECK(shown["participants"].size() == 1);
    CHECK(daemon.requests().size() == 4);
    CHECK(daemon.requests().front().target == "/v1/status");
    CHECK(daemon.requests()[1].target == "/v1/predict?prior=own");

    const auto called = call({"predict", folder.write("one.csv", "1\n"), "--socket", socket});
    CHECK(called.out ==
          "ROW  LABEL  PROBABILITY\n"
          "  1  dog          0.750\n"
          "\nby this node's main model and 1 seed of peers: abcdefghij version 3\n");
}

TEST_CASE("long rows are asked in requests of fewer, which the daemon still reads") {
    const TemporaryFolder folder;
    const FakeDaemon daemon(folder / "s", cats_and_dogs({}));
    constexpr int kWidth = 100'000;
    std::string text;
    for (int i = 0; i < 10; ++i) {
        text += std::to_string(i);
        for (int column = 1; column < kWidth; ++column)
            text += ",0";
        text += "\n";
    }
    const auto asked = call({"predict", folder.write("rows.csv", text), "--json", "--socket", folder / "s"});
    REQUIRE(asked.err == "");
    CHECK(json::parse(asked.out)["labels"] == json({0, 1, 0, 1, 0, 1, 0, 1, 0, 1}));
    REQUIRE(daemon.requests().size() == 4);
    CHECK(daemon.requests().front().verb == "GET");
    std::vector<std::size_t> rows;
    for (std::size_t i = 1; i < daemon.requests().size(); ++i)
        rows.push_back(json::parse(daemon.requests()[i].body)["inputs"].size());
    CHECK(rows == std::vector<std::size_t>{4, 4, 2});
}

TEST_CASE("the decimal sign that a user names is that of the rows") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    const FakeDaemon daemon(socket, cats_and_dogs({"n", "m"}));
    const auto file = folder.write("rows.csv", "n;m\n1,234;5,678\n").string();
    const auto undecided = call({"predict", file, "--socket", socket});
    CHECK(undecided.code == 2);
    CHECK_MESSAGE(undecided.err.find("the comma may be the decimal sign") != std::string::npos,
                  undecided.err);
    const auto decided = call({"predict", file, "--decimal", ",", "--socket", socket});
    CHECK_MESSAGE(decided.code == 0, decided.err);
    REQUIRE(daemon.requests().back().verb == "POST");
    const auto inputs = json::parse(daemon.requests().back().body)["inputs"];
    CHECK(inputs.get<std::vector<std::vector<float>>>() == std::vector<std::vector<float>>{{1.234F, 5.678F}});
}

TEST_CASE("wrong input is refused, and no prediction is asked for") {
    const TemporaryFolder folder;
    const FakeDaemon daemon(folder / "s", [](const FakeDaemon::Request& request) {
        CHECK(request.target == "/v1/status");
        return FakeDaemon::Answer{200, "{}"};
    });
    CHECK(call({"predict", "/no/such/file", "--socket", folder / "s"}).code == 2);
    CHECK(call({"predict", "-", "--prior", "mine", "--socket", "/no/socket"}).code == 2);
}

}  // namespace
