#include "node/learning/data/csv.hpp"

#include <doctest/doctest.h>

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
    CHECK(error_for("10,0\n11,0\n", known) == ":2:1: \"11\" is not one of the known classes, \"9\", \"10\"");
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
    CHECK(error_for("7\n") ==
          ":1:1: a row needs a label and at least one feature, and here nothing separates fields: neither a "
          "comma, a semicolon, a tab nor |");
    CHECK(error_for("1,2\n", {.label = std::size_t{2}}) ==
          ": label column 2 does not exist; rows have 2 fields");
    CHECK(error_for("a,b\n1,2\n", {.label = "c"}) == ":1: the header names no column \"c\"");
    CHECK(error_for("1,2\n3,4\n", {.label = "c"}) ==
          ":1: is not a header, which must name the columns, \"c\" among them");
    CHECK(error_for("a,a\n1,2\n", {.label = "a"}) == ":1:1: the header names column \"a\" twice");
    CHECK(error_for("1,2,3\n", {.shape = InputShape{1, 2, 2}}) ==
          ": has 2 feature columns, but the input shape asks for 4");
}

TEST_CASE("columns are matched by the names in the header, whatever their order") {
    const CsvOptions wanted{.label = "y", .columns = {{"a", "b", "c"}, "train.csv"}};
    const auto same = read("a,b,c,y\n1,2,3,k\n4,5,6,l\n", wanted);
    REQUIRE(same);
    const auto other = read("c,y,a,b\n3,k,1,2\n6,l,4,5\n", wanted);
    REQUIRE(other);
    CHECK(other->features == same->features);
    CHECK(other->labels == same->labels);
    CHECK(other->columns == std::vector<std::string>{"a", "b", "c"});
    // Without wishes the file's own order stays.
    CHECK(read("c,y,a,b\n3,k,1,2\n", {.label = "y"})->columns == std::vector<std::string>{"c", "a", "b"});
    CHECK(read("1,2,3\n")->columns.empty());
}

TEST_CASE("a column that is missing, new, renamed or there twice is named") {
    const CsvOptions wanted{.label = "y", .columns = {{"a", "b"}, "train.csv"}};
    CHECK(error_for("a,y\n1,k\n", wanted) == ":1: lacks column \"b\", which train.csv has");
    CHECK(error_for("a,b,z,y\n1,2,3,k\n", wanted) == ":1: has column \"z\", which train.csv does not have");
    CHECK(error_for("a,B,y\n1,2,k\n", wanted) == ":1: has column \"B\", where train.csv has column \"b\"");
    CHECK(error_for(",a,b,y\n0,1,2,k\n", wanted) ==
          ":1: has column number 1, which has no name, which train.csv does not have");
    CHECK(error_for("a,b,a,y\n1,2,3,k\n", {.label = "y"}) ==
          ":1:5: two columns are called \"a\"; names tell columns apart");
    CHECK(error_for("a,,y,\n1,2,k,3\n", {.label = "y"}) ==
          ":1:6: two columns have no name; names tell columns apart");
}

TEST_CASE("rows without a label: by name, by place, and with numbers for names") {
    const CsvOptions rows{.label = NoLabel{}, .columns = {{"0", "1"}, "the network"}};
    CHECK(read("1,0\n7,8\n", rows)->features == std::vector<float>{8, 7});
    CHECK(read("1,2\n7,8\n", rows)->features == std::vector<float>{1, 2, 7, 8});
    CHECK(read("7\n8\n", {.label = NoLabel{}})->count == 2);
    CHECK(error_for("7,8,9\n", rows) == ":1: has 3 columns, and the network has 2");
    CHECK(error_for("a,b\n7,8\n", rows) == ":1: has column \"a\", where the network has column \"0\"");
    CHECK(read("1,2\n", rows)->labels.empty());
}

TEST_CASE("the label's column may be passed over, whatever it holds, or be missing") {
    const CsvOptions skip{.label = "y", .skip_label = true, .class_names = {"k"}};
    for (const char* text :
         {"a,y,b\n1,,2\n", "a,y,b\n1,cow,2\n", "a,b\n1,2\n", "a;b\n1;2\n", "y,a,b\n\"?\",1,2\n"}) {
        const auto data = read(text, skip);
        REQUIRE_MESSAGE(data, data.error().message);
        CHECK(data->features == std::vector<float>{1, 2});
        CHECK(data->columns == std::vector<std::string>{"a", "b"});
        CHECK(data->labels.empty());
        CHECK(data->class_names.empty());
    }
    CHECK_FALSE(read("a,y,b\n1,,2\n", {.label = "y", .class_names = {"k"}}));
}

TEST_CASE("separators, decimal signs and line ends are found out from the file") {
    const auto expected = read("a,b,y\n1.5,2,k\n3,4.25,l\n", {.label = "y"});
    REQUIRE(expected);
    for (const std::string text : {
             "a;b;y\n1.5;2;k\n3;4.25;l\n",
             "a;b;y\n1,5;2;k\n3;4,25;l\n",
             "a\tb\ty\n1.5\t2\tk\n3\t4.25\tl\n",
             "a\tb\ty\n1,5\t2\tk\n3\t4,25\tl\n",
             "a|b|y\n1.5|2|k\n3|4.25|l\n",
             "a,b,y\r1.5,2,k\r3,4.25,l\r",
             "a,b,y\r\n1.5,2,k\r\n3,4.25,l",
             "sep=;\na;b;y\n1,5;2;k\n3;4,25;l\n",
             "a,b,y\n\"1,5\",2,k\n3,\"4,25\",l\n",
             "\xEF\xBB\xBF\"a\",b,y\n1.5,2,k\n3,4.25,l\n",
         }) {
        CAPTURE(text);
        const auto data = read(text, {.label = "y"});
        REQUIRE_MESSAGE(data, data.error().message);
        CHECK(data->features == expected->features);
        CHECK(data->columns == expected->columns);
        CHECK(data->labels == expected->labels);
    }
    // Without a header, too.
    CHECK(read("k;1,5;2,5\nl;2,5;3,5\n")->features == std::vector<float>{1.5F, 2.5F, 2.5F, 3.5F});
    // A comma that fits goes before everything else, so that no file changes its meaning.
    CHECK(read("y,a\nk;l,1\nk;m,2\n", {.label = "y"})->class_names.size() == 2);
}

TEST_CASE("what can be read in two ways is refused until the user decides") {
    CHECK(error_for("a;y\n1,234;k\n5,678;l\n", {.label = "y"}) ==
          ":2:1: in 1,234 the comma may be the decimal sign or stand between thousands; for the first say "
          "decimal = \",\", else write numbers without it");
    CHECK(read("a;y\n1,234;k\n5,678;l\n", {.label = "y", .format = {.decimal = ','}})->features ==
          std::vector<float>{1.234F, 5.678F});
    // A sign tells nothing.
    for (const std::string number : {"-1,234", "+1,234"})
        CHECK(error_for("a;y\n" + number + ";k\n5,678;l\n", {.label = "y"})
                  .starts_with(":2:1: in " + number + " the comma may be the decimal sign"));
    // One number tells.
    CHECK(read("a;y\n1,234;k\n5,67;l\n", {.label = "y"})->features == std::vector<float>{1.234F, 5.67F});
    CHECK(read("a;y\n1234,567;k\n", {.label = "y"})->features == std::vector<float>{1234.567F});
    CHECK(read("a;y\n0,234;k\n", {.label = "y"})->features == std::vector<float>{0.234F});
    CHECK(error_for("a;b;y\n1,5;2.5;k\n", {.label = "y"}) ==
          ":2:1: the number 1,5 has a comma, and 2.5 in line 2 has a point; one file has one decimal sign, "
          "and nothing between thousands");
    CHECK(error_for("a;y\n1.234,5;k\n", {.label = "y"}) == ":2:1: \"1.234,5\" is not a finite number");
    CHECK(error_for("a;b\tc;y\n1;2\t3;4\n5;6\t7;8\n", {.label = "y"}).find("not a finite number") !=
          std::string::npos);
    // In a file that fits no separator, the key decides how its errors read.
    const std::string broken = "a;b|c;y\n1;2|3;k\n";
    CHECK(error_for(broken, {.label = "y"}) == ":2:3: \"2|3\" is not a finite number");
    CHECK(error_for(broken, {.label = "y", .format = {.separator = '|'}}) ==
          ":1: the header names no column \"y\"");
}

TEST_CASE("of two separators that fit, the comma is taken unless the key names the other") {
    const std::string text = "1,5;2\n2,5;3\n";
    const auto by_comma = read(text, {.label = std::size_t{1}});
    REQUIRE_MESSAGE(by_comma, by_comma.error().message);
    CHECK(by_comma->features == std::vector<float>{1, 2});
    CHECK(by_comma->class_names == std::vector<std::string>{"5;2", "5;3"});
    const auto by_key = read(text, {.label = std::size_t{1}, .format = {.separator = ';'}});
    REQUIRE_MESSAGE(by_key, by_key.error().message);
    CHECK(by_key->features == std::vector<float>{1.5F, 2.5F});
    CHECK(by_key->class_names == std::vector<std::string>{"2", "3"});
}

TEST_CASE("a text in another encoding is read, or its error says which it may be") {
    const auto read_bytes = [](const std::string& text) { return read(text, {.label = "y"}); };
    std::string little = "\xFF\xFE";
    std::string big = "\xFE\xFF";
    std::string unmarked;
    for (const char c : std::string("a,y\n1,k\n")) {
        little += {c, '\0'};
        big += {'\0', c};
        unmarked += {c, '\0'};
    }
    for (const auto& text : {little, big}) {
        const auto data = read_bytes(text);
        REQUIRE_MESSAGE(data, data.error().message);
        CHECK(data->columns == std::vector<std::string>{"a"});
    }
    CHECK(error_for(unmarked, {.label = "y"}).find("UTF-16 without a byte-order mark") != std::string::npos);
    CHECK(error_for(little.substr(0, little.size() - 1), {.label = "y"}).find("ends inside a character") !=
          std::string::npos);
    CHECK(error_for(little + std::string("\x00\xD8", 2), {.label = "y"}).find("not valid UTF-16") !=
          std::string::npos);
    CHECK(error_for("a,y\n1,k\n2,f\xFCnf\n", {.label = "y"}) ==
          ":3: is not UTF-8 (byte 0xFC); it may be Latin-1 or Windows-1252: save it as UTF-8");
    CHECK(read("a,y\n1,f\xC3\xBCnf\n", {.label = "y"})->class_names ==
          std::vector<std::string>{"f\xC3\xBCnf"});
    CHECK(error_for("PK\x03\x04 and more", {.label = "y"}).find("spreadsheet") != std::string::npos);
}

TEST_CASE("columns that are rarely meant are told") {
    const auto lines_for = [](const std::string& header, const auto& row) {
        std::string text = header + ",y\n";
        for (int i = 0; i < 20; ++i)
            text += row(i) + (i % 2 == 0 ? ",k\n" : ",l\n");
        const auto data = read(text, {.label = "y"});
        REQUIRE_MESSAGE(data, data.error().message);
        return suspicious_columns(*data);
    };
    const auto text_of = [](int i) { return std::to_string(i); };
    CHECK(lines_for("a,b", [&](int i) { return text_of(i * i % 7) + "," + text_of(i % 3); }).empty());
    const auto pandas = lines_for(",b", [&](int i) { return text_of(i) + "," + text_of(i % 3); });
    REQUIRE(pandas.size() == 1);
    CHECK(pandas[0].starts_with("column number 1 has no name of its own"));
    CHECK(lines_for("Unnamed: 0,b", [&](int i) { return text_of(i) + "," + text_of(i % 3); })[0].starts_with(
        "column \"Unnamed: 0\" has no name"));
    // Row numbers, in order, shuffled, and a time.
    for (const auto& number : {+[](int i) { return i + 100; }, +[](int i) { return i * 7 % 20; },
                               +[](int i) { return 1000 + 37 * i; }}) {
        const auto lines =
            lines_for("id,b", [&](int i) { return text_of(number(i)) + "," + text_of(i % 3); });
        REQUIRE(lines.size() == 1);
        CHECK(lines[0].starts_with("column \"id\" holds another value in every row"));
    }
    const auto constant = lines_for("a,b,c", [&](int i) { return "5,6," + text_of(i % 3); });
    REQUIRE(constant.size() == 1);
    CHECK(constant[0] ==
          "columns \"a\", \"b\" hold the same value in every row, as far as the 7 digits go that are kept: "
          "nothing can be learnt from them");
    // Seconds since 1970, of a minute and of a year.
    const auto coarse = lines_for("t", [&](int i) { return text_of(1'700'000'000 + i * 7 % 20 * 100); });
    REQUIRE(coarse.size() == 1);
    CHECK(coarse[0].starts_with("column \"t\" differs only in its last digits"));
    CHECK(lines_for("t", [&](int i) { return text_of(1'700'000'000 + i * 7 % 20 * 1'000'000); }).empty());
}

TEST_CASE("labels that stand for a missing value are told") {
    const auto lines = suspicious_classes(*read("1,k\n2,NA\n3,l\n", {.label = std::size_t{1}}));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with("label \"NA\" is a class of its own"));
    CHECK(suspicious_classes(*read("1,k\n2,Na\n3,l\n", {.label = std::size_t{1}})).empty());
}

TEST_CASE("numbers that mark missing values, and the numbers of columns, are no examples") {
    CHECK(error_for("1,2,3\n4,-3.4028234663852886e+38,6\n") ==
          ":2:3: \"-3.4028234663852886e+38\" is too large to learn from: does it stand for a missing value?");
    CHECK(read("1,2,3\n4,-9e18,6\n")->count == 2);
    CHECK(error_for("0,1,2,3\n4,5,6,7\n").starts_with(":1:1: 0, 1, 2 ... is not an example"));
    CHECK(read("0,1,2\n4,5,6\n")->count == 2);
    CHECK(read("0,1,2,4\n4,5,6,7\n")->count == 2);
    CHECK(read("4,5,6,7\n0,1,2,3\n")->count == 2);
    // Where the columns are called so, it is the header.
    const CsvOptions numbered{.label = NoLabel{}, .columns = {{"0", "1", "2", "3"}, "the network"}};
    CHECK(read("0,1,2,3\n4,5,6,7\n", numbered)->count == 1);
}
