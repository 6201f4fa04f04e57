#include <doctest/doctest.h>

#include "support.hpp"

namespace {

using namespace unlearn::ctl;
using nlohmann::json;

struct Device {
    TemporaryFolder folder;
    std::string data = folder.write("train.csv", "x,y,class\n1,2,cat\n3,4,dog\n");
    std::string reference = folder.write("reference.csv", "x,y,class\n5,6,cat\n7,8,dog\n");
    std::string config = folder / "node.toml";

    [[nodiscard]] Called init(const std::string& name, const std::vector<std::string>& more) const {
        std::vector<std::string> arguments{"init",        "--json",
                                           "--data",      data,
                                           "--label",     "class",
                                           "--reference", reference,
                                           "--config",    folder / (name + ".toml"),
                                           "--data-dir",  folder / name,
                                           "--sealed",    folder / (name + ".sealed")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    }
};

TEST_CASE("init makes a node whose id, key, binding and sealed exit belong together") {
    const Device device;
    const auto made = device.init("a", {"--network", "home", "--classes", "cat,dog"});
    REQUIRE_MESSAGE(made.code == 0, made.err);
    const auto shown = json::parse(made.out);
    CHECK(call({"id", "--config", device.folder / "a.toml", "--socket", device.folder / "none"}).code == 3);
    const auto sealed = json::parse(call({"verify", "--json", device.folder / "a.sealed"}).out);
    CHECK(sealed["owner"] == shown["id"]);
    CHECK(sealed["network"] == shown["network"]);
    CHECK(device.init("a", {"--network", "home", "--classes", "cat,dog"}).code == 2);
}

TEST_CASE("two nodes are of one network exactly when name, classes and reference set agree") {
    const Device device;
    const auto network = [&](const std::string& name, const std::vector<std::string>& more) {
        const auto made = device.init(name, more);
        REQUIRE_MESSAGE(made.code == 0, made.err);
        return json::parse(made.out)["network"].get<std::string>();
    };
    const auto first = network("a", {"--network", "home", "--classes", "cat,dog"});
    CHECK(network("b", {"--network", "home", "--classes", "cat,dog"}) == first);
    CHECK(network("c", {"--network", "work", "--classes", "cat,dog"}) != first);
    CHECK(network("d", {"--network", "home", "--classes", "dog,cat"}) != first);
    static_cast<void>(device.folder.write("reference.csv", "x,y,class\n5,6,cat\n7,9,dog\n"));
    CHECK(network("e", {"--network", "home", "--classes", "cat,dog"}) != first);
}

TEST_CASE(
    "the names of columns and their order in the reference set make the network, unless it is an older one") {
    const Device device;
    int number = 0;
    const auto network = [&](const std::string& reference, const std::vector<std::string>& more = {}) {
        static_cast<void>(device.folder.write("reference.csv", reference));
        std::vector<std::string> options{"--network", "home", "--classes", "cat,dog"};
        options.insert(options.end(), more.begin(), more.end());
        const auto made = device.init("n" + std::to_string(++number), options);
        REQUIRE_MESSAGE(made.code == 0, made.err);
        return json::parse(made.out)["network"].get<std::string>();
    };
    const auto named = network("x,y,class\n5,6,cat\n7,8,dog\n");
    // The class is no feature: where it stands, and whether it is there, makes no difference.
    CHECK(network("class,x,y\ncat,5,6\ndog,7,8\n") == named);
    CHECK(network("x;y\n5;6\n7;8\n") == named);
    CHECK(network("y,x,class\n5,6,cat\n7,8,dog\n") != named);
    const auto older = network("x,y,class\n5,6,cat\n7,8,dog\n", {"--older-network"});
    CHECK(older != named);
    CHECK(network("x,y\n5,6\n7,8\n", {"--older-network"}) == older);
    static_cast<void>(device.folder.write("train.csv", "z,y,class\n1,2,cat\n3,4,dog\n"));
    CHECK(network("z,y\n5,6\n7,8\n", {"--older-network"}) == older);
}

TEST_CASE("init asks for the decimal sign where tables do not tell it, and the configuration keeps it") {
    const Device device;
    static_cast<void>(device.folder.write("train.csv", "x;y;class\n1,234;2,345;cat\n3,456;4,567;dog\n"));
    static_cast<void>(device.folder.write("reference.csv", "x;y\n1,234;2,345\n3,456;4,567\n"));
    const auto refused = device.init("a", {"--network", "home", "--classes", "cat,dog"});
    CHECK(refused.code == 2);
    CHECK_MESSAGE(refused.err.find("the comma may be the decimal sign") != std::string::npos, refused.err);
    const auto made = device.init("a", {"--network", "home", "--classes", "cat,dog", "--decimal", ","});
    CHECK_MESSAGE(made.code == 0, made.err);
    const auto config = unlearn::testing::content_of(device.folder / "a.toml");
    CHECK_MESSAGE(config.find("\ndecimal = \",\"") != std::string::npos, config);
}

TEST_CASE("init warns about columns that are rarely meant, and makes the node") {
    const Device device;
    // pandas writes its row numbers into a column without a name.
    std::string text = ",x,class\n";
    for (int i = 0; i < 12; ++i)
        text += std::to_string(i) + "," + std::to_string(i % 5) + (i % 2 == 0 ? ",cat\n" : ",dog\n");
    for (const char* name : {"train.csv", "reference.csv"})
        static_cast<void>(device.folder.write(name, text));
    const auto made = device.init("a", {"--network", "home", "--classes", "cat,dog"});
    CHECK_MESSAGE(made.code == 0, made.err);
    for (const auto& file : {device.data, device.reference})
        CHECK_MESSAGE(made.err.find("unlearnctl: warning: " + file + ": column number 1 has no name") !=
                          std::string::npos,
                      made.err);
}

TEST_CASE("what the daemon could not use is refused at init, in one line, and nothing is made") {
    const Device device;
    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
        {{"--network", "home", "--classes", "cat,bird"}, "train.csv"},
        {{"--network", "home", "--classes", "cat,dog", "--main", "no-such-model"},
         "--main unknown architecture"},
        {{"--network", "home", "--classes", "cat,dog", "--main", "cnn:8"},
         "unlearnctl: --main: architecture cnn:8 pools"},
        {{"--network", "home", "--classes", "cat,dog", "--seed", "cnn:8"},
         "unlearnctl: --seed: architecture cnn:8 pools"},
        {{"--network-key", device.folder / "none.key", "--classes", "cat,dog"}, "none.key"},
        {{"--network", "home", "--classes", "cat"}, "unlearnctl: --classes must name at least two classes"},
        {{"--network", "home", "--classes", "cat,dog", "--listen", "tcp://*:99999"},
         "unlearnctl: --listen = 'tcp://*:99999' is not an address: a port is a number from 0 (any) to "
         "65535"},
        {{"--network", "home", "--classes", "cat,dog", "--listen", "tcp://*"}, "the port is missing"},
        {{"--network", "home", "--classes", "cat,dog", "--listen", ""}, "--listen: is empty"},
        {{"--network", "home", "--classes", "cat,dog", "--listen", "tcp://::1:7411"},
         "write an IPv6 address in brackets"},
        {{"--network", "home", "--classes", "cat,dog", "--socket", device.folder / std::string(120, 's')},
         "bytes; the path of a socket has 107 at most"},
    };
    const auto is_refused = [&](const std::vector<std::string>& options, const std::string& complaint) {
        const auto refused = device.init("a", options);
        CHECK(refused.code == 2);
        CHECK_MESSAGE(refused.err.find(complaint) != std::string::npos, refused.err);
        CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
        CHECK_FALSE(std::filesystem::exists(device.folder / "a"));
        CHECK_FALSE(std::filesystem::exists(device.folder / "a.toml"));
        CHECK_FALSE(std::filesystem::exists(device.folder / "a.sealed"));
    };
    for (const auto& [options, complaint] : wrong)
        is_refused(options, complaint);
    static_cast<void>(device.folder.write("reference.csv", "x,class\n5,cat\n7,dog\n"));
    is_refused({"--network", "home", "--classes", "cat,dog"}, "train.csv:1: has column \"y\", which ");
    static_cast<void>(device.folder.write("reference.csv", "x,y\n5,6\n7,8\n"));
    CHECK(device.init("a", {"--network", "n", "--network-key", "k", "--classes", "cat,dog"}).code == 2);
    CHECK(device.init("a", {"--classes", "cat,dog"}).code == 2);
}

}  // namespace
