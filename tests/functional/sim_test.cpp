#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/sim_playground.hpp"

using namespace unlearn::testing;

namespace {

/// The scenario with public features, which its models see.
std::string with_features(const std::string& recipe = "fourier:64", const std::string& seed = "head") {
    std::string text = scenario();
    const std::string models = "main = [\"linear\", \"mlp:16\"]\nseed = [\"mlp:8\"]\n";
    const auto place = text.find(models);
    REQUIRE(place != std::string::npos);
    return text.replace(
        place, models.size(),
        "main = [\"ridge\", \"mlp:16\"]\nseed = [\"" + seed + "\"]\nfeatures = \"" + recipe + "\"\n");
}

}  // namespace

TEST_CASE("a run goes from data to proof and leaves result, events, certificate and report") {
    const Ready ready;
    const Finished run = ready.sim(ready.run("points.toml"));
    INFO(run.err);
    REQUIRE(run.code == 0);
    const json result = ready.result("out");
    CHECK(result["schema"] == 1);
    CHECK(result["nodes"].size() == 5);
    CHECK(result["exactness"]["bit_identical"] == true);
    CHECK(result["exactness"]["vacuous"].empty());
    CHECK(result["exactness"]["nodes"] == 4);
    CHECK(result["exactness"]["predictions"] == 4 * 600 * 2);
    REQUIRE(result["exits"].size() == 1);
    const json exit = result["exits"][0];
    CHECK(exit["node"] == "node-2");
    CHECK(exit["holders"].size() == 2);
    CHECK(exit["receipts"] == 2);
    CHECK(exit["missing"].empty());
    CHECK(exit["time_to_forget_ms"]["max"] > 0.0);
    CHECK(result["traffic"]["bytes"].get<double>() > result["traffic"]["seed_bytes"].get<double>());
    for (const auto& node : result["nodes"])
        for (const char* world : {"own", "full"})
            for (const char* who : {"main", "ensemble"}) {
                const double accuracy = node["accuracy"][world][who];
                CHECK(accuracy > 0.2);
                CHECK(accuracy <= 1.0);
            }
    CHECK(content_of(ready.path() / "out/report.html").find("node-2") != std::string::npos);
    CHECK(run.out.find("node-2") != std::string::npos);

    SUBCASE("the certificate verifies, and not when a character of it is changed") {
        const fs::path certificate = ready.path() / "out/certificate-node-2.json";
        const Finished verify = ready.sim("verify " + certificate.string());
        CHECK(verify.code == 0);
        CHECK(verify.out.find("complete") != std::string::npos);
        json changed = json::parse(content_of(certificate));
        std::string signature = changed["notice"]["signature"];
        signature[5] = signature[5] == 'a' ? 'b' : 'a';
        changed["notice"]["signature"] = signature;
        ready.write("changed.json", changed.dump());
        CHECK(ready.sim("verify " + (ready.path() / "changed.json").string()).code == 2);
    }
    SUBCASE("every event of the exit is on record, in order") {
        std::istringstream lines(content_of(ready.path() / "out/events.jsonl"));
        std::string line;
        double begun = -1;
        int erased = 0;
        int receipts = 0;
        while (std::getline(lines, line)) {
            const json event = json::parse(line);
            if (event["event"] == "exit-begun") begun = event["ms"];
            if (event["event"] == "seed-erased") {
                ++erased;
                CHECK(begun >= 0);
            }
            if (event["event"] == "receipt-stored" && event["node"] == "node-2") ++receipts;
        }
        CHECK(erased == 2);
        CHECK(receipts == 2);
    }
    SUBCASE("running again replaces the folder") {
        CHECK(ready.sim(ready.run("points.toml")).code == 0);
    }
    SUBCASE("another seed gives another world") {
        const double before = result["nodes"][0]["accuracy"]["full"]["main"];
        REQUIRE(ready.sim(ready.run("points.toml", "--seed 4")).code == 0);
        CHECK(ready.result("out")["seed"] == 4);
        CHECK(ready.result("out")["nodes"][0]["id"] != result["nodes"][0]["id"]);
        CHECK(ready.result("out")["nodes"][0]["accuracy"]["full"]["main"] != before);
    }
}

TEST_CASE("in virtual time every run of a seed is the same") {
    const Ready ready;
    const auto run = [&](const std::string& more) {
        const Finished finished = ready.sim(ready.run("points.toml", "--transport virtual " + more));
        INFO(finished.err);
        REQUIRE(finished.code == 0);
        CHECK(ready.result("out")["exactness"]["bit_identical"] == true);
        CHECK(ready.result("out")["transport"] == "virtual");
        CHECK(finished.out.find("Time to forget (virtual)") != std::string::npos);
        return content_of(ready.path() / "out/events.jsonl");
    };
    const std::string first = run("");
    CHECK(first.size() > 1000);
    CHECK(run("") == first);
    CHECK(run("--seed 99") != first);
}

TEST_CASE("each violation of the exactness rule makes the check fail") {
    const Ready ready;
    for (const std::string rule : {"distil-from-ensemble", "keep-old-rho", "fused-cache", "shared-stream"}) {
        INFO(rule);
        const Finished run = ready.sim(ready.run("points.toml", "--violate " + rule));
        INFO(run.err);
        CHECK(run.code == 1);
        const json exactness = ready.result("out")["exactness"];
        CHECK(exactness["bit_identical"] == false);
        CHECK(exactness["differing"] > 0);
        CHECK(exactness["violation"] == rule);
    }
}

TEST_CASE("a network with public features helps its nodes, and forgets as exactly as any other") {
    const Ready ready;
    ready.write("features.toml", with_features());
    const Finished run = ready.sim(ready.run("features.toml"));
    INFO(run.err);
    REQUIRE(run.code == 0);
    const json result = ready.result("out");
    CHECK(result["exactness"]["bit_identical"] == true);
    CHECK(result["exactness"]["vacuous"].empty());
    for (const auto& node : result["nodes"]) {
        CHECK(node["accuracy"]["full"]["ensemble"] > node["accuracy"]["full"]["main"]);
        CHECK(node["accuracy"]["full"]["ensemble"] > 0.7);
    }
    for (const std::string rule : {"features-from-private-data", "distil-from-ensemble", "keep-old-rho"}) {
        INFO(rule);
        CHECK(ready.sim(ready.run("features.toml", "--transport virtual --violate " + rule)).code == 1);
        CHECK(ready.result("out")["exactness"]["differing"] > 0);
    }
}

TEST_CASE("bad input is one clear line, exit code 2, and nothing half-written") {
    const Ready ready;
    const auto refused = [&](const std::string& arguments, const std::vector<std::string>& words) {
        const Finished run = ready.sim(arguments);
        INFO(arguments);
        INFO(run.err);
        CHECK(run.code == 2);
        for (const auto& word : words)
            CHECK(run.err.find(word) != std::string::npos);
        CHECK_FALSE(fs::exists(ready.path() / "out/result.json"));
    };
    SUBCASE("features that cannot be") {
        ready.write("recipe.toml", with_features("fourier:0"));
        refused(ready.run("recipe.toml"),
                {"recipe.toml:", "models.features", "\"fourier:0\"", "patches:64x6-4x4"});
        ready.write("images.toml", with_features("patches:64x6-4x4"));
        refused(ready.run("images.toml"), {"images.toml: models.features", "images of at least 8x8"});
        std::string text = scenario();
        text.replace(text.find("mlp:8"), 5, "head");
        ready.write("head.toml", text);
        refused(ready.run("head.toml"),
                {"head.toml: models.seed", "architecture head needs public features"});
        refused(ready.run("points.toml", "--violate features-from-private-data"),
                {"points.toml: models.features is missing"});
        ready.write("fine.toml", with_features());
        refused(ready.run("fine.toml", "--processes"), {"fine.toml: models.features", "--processes"});
    }
    SUBCASE("no scenario") {
        refused(ready.run("none.toml"), {"none.toml"});
    }
    SUBCASE("an unknown key") {
        ready.write("bad.toml", scenario("imagesper_node = 5\n"));
        refused(ready.run("bad.toml"), {"bad.toml:12", "imagesper_node"});
    }
    SUBCASE("an impossible value") {
        ready.write("bad.toml", scenario("", "base_port = 70000\n"));
        refused(ready.run("bad.toml"), {"bad.toml:", "base_port"});
    }
    SUBCASE("more data than there is") {
        ready.write("bad.toml", scenario("test_limit = 5\n"));
        std::string text = content_of(ready.path() / "bad.toml");
        text.replace(text.find("images_per_node = 200"), 21, "images_per_node = 900");
        ready.write("bad.toml", text);
        refused(ready.run("bad.toml"), {"bad.toml"});
    }
    SUBCASE("a missing data file") {
        fs::remove(ready.path() / "train.csv");
        refused(ready.run("points.toml"), {"train.csv"});
    }
    SUBCASE("a corrupt data file") {
        ready.write("train.csv", "a,b,c,d,e,kind\n1,2,3,4,5,k0\n1,2,x,4,5,k1\n");
        refused(ready.run("points.toml"), {"train.csv:3"});
    }
    SUBCASE("a folder with somebody's work") {
        fs::create_directories(ready.path() / "out");
        ready.write("out/thesis.tex", "years of work");
        refused(ready.run("points.toml"), {"out"});
        CHECK(content_of(ready.path() / "out/thesis.tex") == "years of work");
    }
    SUBCASE("an unknown violation") {
        refused(ready.run("points.toml", "--violate everything"), {"everything"});
    }
    SUBCASE("a graph that is not connected") {
        ready.write("graph.txt", "a b\nc d\n");
        std::string text = scenario();
        text.replace(text.find("kind = \"ring\"\nnodes = 5"), 23, "kind = \"file\"\nfile = \"graph.txt\"");
        text.replace(text.find("node-2"), 6, "a");
        ready.write("bad.toml", text);
        refused(ready.run("bad.toml"), {"graph.txt", "connected"});
    }
    SUBCASE("a certificate that is none") {
        ready.write("x.json", "{}");
        refused("verify " + (ready.path() / "x.json").string(), {"x.json"});
        refused("verify " + (ready.path() / "nowhere.json").string(), {"nowhere.json"});
    }
}

TEST_CASE("a port in use is named") {
    const Ready ready;
    const int taken = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(taken, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(taken, 1) == 0);
    socklen_t length = sizeof address;
    REQUIRE(getsockname(taken, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    const std::string port = std::to_string(ntohs(address.sin_port));
    ready.write("port.toml", scenario("", "base_port = " + port + "\n"));
    const auto earlier = ready.path() / "out" / "result.json";
    fs::create_directory(earlier.parent_path());
    std::ofstream(earlier.parent_path() / ".unlearn-sim") << "an earlier run";
    std::ofstream(earlier) << "{}";
    for (const std::string how : {"", " --processes"}) {
        const Finished run = ready.sim(ready.run("port.toml") + how);
        CHECK(run.code == 2);
        CHECK(run.err.find("tcp://127.0.0.1:" + port + ": in use") != std::string::npos);
        CHECK(run.err.find("training") == std::string::npos);
        CHECK(fs::exists(earlier));  // nothing of an earlier run is touched
    }
    close(taken);
}

namespace {

/// The processes of `unlearnd` whose command line mentions `text`.
std::vector<pid_t> daemons_of(const std::string& text) {
    std::vector<pid_t> out;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::string command = content_of(entry.path() / "cmdline");
        const std::string program = command.substr(0, command.find('\0'));
        if (!program.ends_with("/unlearnd") || command.find(text) == std::string::npos) continue;
        out.push_back(std::stoi(name));
    }
    return out;
}

bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 400; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    REQUIRE(text.find(what) != std::string::npos);
    return text.replace(text.find(what), what.size(), with);
}

/// Three nodes, each in a process of its own.
struct Fleet : Ready {
    Fleet() { write("three.toml", replaced(scenario(), "nodes = 5", "nodes = 3")); }
    [[nodiscard]] std::vector<pid_t> daemons() const { return daemons_of(path().string()); }
    /// Nodes that learn for minutes.
    void write_slow() const {
        write("slow.toml", replaced(content_of(path() / "three.toml"), "epochs = 60", "epochs = 10000"));
    }
};

}  // namespace

TEST_CASE("with --processes every node is a daemon, and the result says what it says otherwise") {
    const Fleet fleet;
    const Finished run = fleet.sim(fleet.run("three.toml", "--processes"));
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK(fleet.daemons().empty());
    const json result = fleet.result("out");
    CHECK(result["schema"] == 1);
    CHECK(result["processes"] == true);
    CHECK(result["exactness"]["checked"] == false);
    REQUIRE(result["nodes"].size() == 3);
    for (const auto& node : result["nodes"]) {
        CHECK(node["neighbours"].size() == 2);
        CHECK(node["training_images"] == 200);
        CHECK(node["seed_parameters"] == 5 * 8 + 8 + 8 * 5 + 5);
        for (const char* world : {"own", "full"})
            for (const char* who : {"main", "ensemble"}) {
                const double accuracy = node["accuracy"][world][who];
                CHECK(accuracy > 0.4);
                CHECK(accuracy <= 1.0);
            }
        // A class that a node has never seen is learnt from the neighbours alone.
        CHECK(node["accuracy"]["full"]["ensemble"] > node["accuracy"]["full"]["main"]);
    }
    REQUIRE(result["exits"].size() == 1);
    const json exit = result["exits"][0];
    CHECK(exit["node"] == "node-2");
    CHECK(exit["holders"].size() == 2);
    CHECK(exit["receipts"] == 2);
    CHECK(exit["missing"].empty());
    CHECK(exit["time_to_forget_ms"]["max"] > 0.0);
    CHECK(exit["nodes"].size() == 2);
    CHECK(result["traffic"]["by_kind"]["receipt"]["messages"] >= 2);
    CHECK(result["traffic"]["seed_transfer_bytes"].get<double>() >
          result["traffic"]["seed_bytes"].get<double>());
    CHECK(fleet.sim("verify " + (fleet.path() / "out/certificate-node-2.json").string()).code == 0);
    CHECK(content_of(fleet.path() / "out/report.html").find("node-2") != std::string::npos);
    CHECK(run.out.find("Erased") != std::string::npos);

    SUBCASE("the same nodes learn the same again, in this process or in their own") {
        REQUIRE(fleet.sim(fleet.run("three.toml", "--processes")).code == 0);
        const json again = fleet.result("out");
        CHECK(again["nodes"] == result["nodes"]);
        REQUIRE(fleet.sim(fleet.run("three.toml")).code == 0);
        for (std::size_t i = 0; i < 3; ++i)
            for (const char* fact :
                 {"name", "id", "neighbours", "main_parameters", "training_images", "missing_classes"})
                CHECK(fleet.result("out")["nodes"][i][fact] == result["nodes"][i][fact]);
    }
}

TEST_CASE("what cannot be run with --processes is one line") {
    const Fleet fleet;
    const auto refused = [&](const std::string& arguments, int code, const std::string& word) {
        const Finished run = fleet.sim(arguments);
        INFO(arguments);
        INFO(run.err);
        CHECK(run.code == code);
        const auto line = run.err.find("unlearn-sim: ");
        REQUIRE(line != std::string::npos);
        CHECK(run.err.find(word, line) != std::string::npos);
        CHECK(run.err.find('\n', line) == run.err.size() - 1);
        CHECK_FALSE(fs::exists(fleet.path() / "out/result.json"));
        CHECK(fleet.daemons().empty());
    };
    SUBCASE("no data") {
        fs::remove(fleet.path() / "train.csv");
        refused(fleet.run("three.toml", "--processes"), 2, "train.csv");
    }
    SUBCASE("a broken rule") {
        refused(fleet.run("three.toml", "--processes --violate fused-cache"), 2, "--violate");
    }
    SUBCASE("virtual time") {
        refused(fleet.run("three.toml", "--processes --transport virtual"), 2, "--transport");
    }
    SUBCASE("no daemon in the folder named") {
        refused(fleet.run("three.toml", "--processes --bin " + fleet.path().string()), 2, "unlearnd");
    }
    SUBCASE("a program that is no daemon") {
        fleet.write("unlearnd", "#!/bin/sh\necho something is broken\nexit 3\n");
        fs::permissions(fleet.path() / "unlearnd", fs::perms::owner_all);
        refused(fleet.run("three.toml", "--processes --bin " + fleet.path().string()), 1,
                "exit code 3: something is broken");
    }
}

TEST_CASE("a daemon that dies ends the run, and no daemon outlives unlearn-sim") {
    const Fleet fleet;
    fleet.write_slow();
    Finished finished;
    const auto run_until_three_run = [&](const std::function<void()>& then) {
        std::thread run([&] { finished = fleet.sim(fleet.run("slow.toml", "--processes")); });
        const bool all_run = eventually([&] { return fleet.daemons().size() == 3; });
        if (all_run) then();
        run.join();
        REQUIRE(all_run);
    };
    SUBCASE("a daemon is killed") {
        run_until_three_run([&] { ::kill(daemons_of("out/nodes/node-1/").front(), SIGKILL); });
        CHECK(finished.code == 1);
        CHECK(finished.err.find("node-1: unlearnd ended with exit code 137") != std::string::npos);
        CHECK(fleet.daemons().empty());
    }
    SUBCASE("unlearn-sim itself is ended") {
        int signal = SIGINT;
        SUBCASE("politely") {}
        SUBCASE("not politely") {
            signal = SIGKILL;
        }
        run_until_three_run([&] {
            std::ifstream stat("/proc/" + std::to_string(fleet.daemons().front()) + "/stat");
            std::string word;
            pid_t parent = 0;
            stat >> word >> word >> word >> parent;
            ::kill(parent, signal);
        });
        CHECK(finished.code != 0);
        CHECK(eventually([&] { return fleet.daemons().empty(); }));
    }
}
