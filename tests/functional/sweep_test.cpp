#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/support/sim_playground.hpp"

/// `unlearn-sim sweep` as a user has it.

using namespace unlearn::testing;

namespace {

std::string experiment(const std::string& sweep, const std::string& more = "") {
    return scenario() + "[study]\nkind = \"learning\"\none_model = \"mlp:16\"\n[sweep]\n" + sweep + more;
}

std::vector<json> rows(const fs::path& folder) {
    std::vector<json> out;
    std::istringstream lines(content_of(folder / "results.jsonl"));
    for (std::string line; std::getline(lines, line);)
        out.push_back(json::parse(line));
    return out;
}

struct Sweeping : Ready {
    [[nodiscard]] Finished sweep(const std::string& file, const std::string& more = "") const {
        return sim("sweep " + (path() / file).string() + " --out " + out().string() + " " + more);
    }
    [[nodiscard]] fs::path out() const { return path() / "swept"; }
};

}  // namespace

TEST_CASE_FIXTURE(Sweeping,
                  "a sweep leaves tables, plots and a report, and is resumed where it was interrupted") {
    const std::string figures =
        "[[plot]]\ntitle = \"Gain\"\nmetric = \"gain\"\nx = \"temperature\"\nwhere = { scope = \"own\" }\n"
        "[[table]]\ntitle = \"Accuracy\"\nmetric = \"accuracy\"\ndown = [\"temperature\"]\nacross = "
        "\"method\"\n";
    write("e.toml", experiment("seed = [1, 2]\ndistillation.temperature = [1, 3]\n", figures));
    const auto first = sweep("e.toml");
    INFO(first.err);
    REQUIRE(first.code == 0);
    CHECK(first.out.find("4 runs, 4 made now, 0 from before, 0 failed") != std::string::npos);
    const auto measured = rows(out());
    std::map<std::string, std::size_t> count;
    for (const auto& row : measured) {
        ++count[row.at("metric").get<std::string>()];
        CHECK(row.contains("seed"));
        CHECK(row.contains("temperature"));
        CHECK(std::isfinite(row.at("value").get<double>()));
    }
    // 4 runs x (5 nodes, then 4) x 4 methods x 2 scopes.
    CHECK(count["accuracy"] == 4 * 9 * 4 * 2);
    CHECK(count["rho"] == 4 * 9);
    CHECK(fs::exists(out() / "report.html"));
    CHECK(fs::exists(out() / "plots" / "gain.svg"));
    CHECK(content_of(out() / "results.csv").starts_with("metric,value,"));

    // What is lost is made again, bit for bit the same; the rest is not.
    const std::string before = content_of(out() / "results.jsonl");
    bool is_removed = false;
    for (const auto& file : fs::directory_iterator(out() / "runs"))
        if (!is_removed && file.path().extension() == ".jsonl") is_removed = fs::remove(file.path());
    REQUIRE(is_removed);
    const auto second = sweep("e.toml");
    CHECK(second.code == 0);
    CHECK(second.out.find("4 runs, 1 made now, 3 from before, 0 failed") != std::string::npos);
    CHECK(content_of(out() / "results.jsonl") == before);

    // An experiment that grew keeps what it has.
    write("e.toml", experiment("seed = [1, 2]\ndistillation.temperature = [1, 3, 5]\n", figures));
    CHECK(sweep("e.toml").out.find("6 runs, 2 made now, 4 from before, 0 failed") != std::string::npos);
    CHECK(sweep("e.toml", "--fresh").out.find("6 runs, 6 made now, 0 from before") != std::string::npos);
}

TEST_CASE_FIXTURE(Sweeping, "the number of processes decides nothing but the time") {
    write("e.toml", experiment("seed = [1, 2]\nensemble.aggregation = [\"hdus\", \"known-classes\"]\n"));
    REQUIRE(sweep("e.toml", "--jobs 1").code == 0);
    const std::string one = content_of(out() / "results.jsonl");
    REQUIRE(sweep("e.toml", "--jobs 2 --fresh").code == 0);
    CHECK(content_of(out() / "results.jsonl") == one);
}

TEST_CASE_FIXTURE(Sweeping, "a learning study scores nodes as a run over real sockets does") {
    write("e.toml", experiment("seed = [3]\n"));
    REQUIRE(sweep("e.toml").code == 0);
    REQUIRE(sim(run("points.toml")).code == 0);
    std::map<std::string, double> studied;
    for (const auto& row : rows(out()))
        if (row.at("metric") == "accuracy" && row.at("departed") == 0)
            studied[row.at("node").get<std::string>() + row.at("scope").get<std::string>() +
                    row.at("method").get<std::string>()] = row.at("value");
    const json result = Ready::result("out");
    REQUIRE(result.at("nodes").size() == 5);
    for (const auto& node : result.at("nodes"))
        for (const std::string scope : {"own", "full"})
            for (const std::string method : {"main", "ensemble"}) {
                CAPTURE(node.at("name"));
                const double real = node.at("accuracy").at(scope).at(method);
                CHECK(studied.at(node.at("name").get<std::string>() + scope + method) ==
                      doctest::Approx(real));
            }
}

TEST_CASE_FIXTURE(Sweeping, "a neighbour that turns all classes over is held aside; honest ones are not") {
    write("e.toml", experiment("poison.nodes = [0, 1]\n"));
    REQUIRE(sweep("e.toml").code == 0);
    double honest = 0.0;
    double poisoned = 0.0;
    for (const auto& row : rows(out()))
        if (row.at("metric") == "aside" && row.at("departed") == 0)
            (row.at("nodes") == 0 ? honest : poisoned) += row.at("value").get<double>();
    CHECK(honest == 0.0);
    CHECK(poisoned >= 1.0);
}

TEST_CASE_FIXTURE(Sweeping, "HDUS, D-PSGD and FedAvg are compared until one node is forgotten") {
    write("e.toml",
          scenario() +
              "[study]\nkind = \"comparison\"\nmodel = \"mlp:16\"\nrounds = 20\nlearning_rate = 0.1\n");
    const auto finished = sweep("e.toml");
    INFO(finished.err);
    REQUIRE(finished.code == 0);
    std::map<std::string, double> value;
    for (const auto& row : rows(out())) {
        const std::string key = row.at("metric").get<std::string>() + "/" +
                                row.at("method").get<std::string>() + "/" + row.at("way").get<std::string>() +
                                "/" + row.value("scope", row.value("step", ""));
        value[key] = row.at("value");
    }
    CHECK(value.at("disagreement/HDUS/drop/") == 0.0);
    CHECK(value.at("total_variation/HDUS/drop/") == 0.0);
    CHECK(value.at("total_variation/D-PSGD/nothing/") > 0.0);
    CHECK(value.at("accuracy/HDUS/drop/full") > value.at("accuracy/main alone/drop/full"));
    for (const std::string method : {"D-PSGD", "FedAvg"}) {
        CAPTURE(method);
        CHECK(value.at("accuracy/" + method + "/before/full") > 0.5);
        CHECK(value.at("reached/" + method + "/retrain/") == 1.0);
        CHECK(value.at("bytes/" + method + "/retrain/") > 0.0);
        CHECK(value.at("cpu_seconds/" + method + "/retrain/") > value.at("cpu_seconds/HDUS/drop/drop"));
    }
}

TEST_CASE_FIXTURE(Sweeping, "bad experiments are one line and leave nothing behind") {
    const auto refused = [&](const std::string& text, const std::string& words) {
        write("bad.toml", text);
        const auto finished = sweep("bad.toml");
        CHECK(finished.code == 2);
        CHECK(finished.err.find(words) != std::string::npos);
        CHECK(std::count(finished.err.begin(), finished.err.end(), '\n') == 1);
        CHECK_FALSE(fs::exists(out()));
    };
    refused(experiment("seed = 1\n"), "sweep.seed must be a list");
    refused(experiment("data.missing = [1, -4]\n"), "data.missing = -4");
    refused(experiment("models.seed = [[\"mlp:8\"], [\"transformer\"]]\n"), "transformer");
    refused("[study]\nkind = \"magic\"\n", "bad.toml:2: study.kind");
    CHECK(sweep("nowhere.toml").code == 2);

    // What only shows when it runs is one line as well, and the other runs are kept.
    write("half.toml", experiment("data.images_per_node = [200, 100000]\n"));
    const auto finished = sweep("half.toml");
    CHECK(finished.code == 1);
    CHECK(finished.out.find("2 runs, 1 made now, 0 from before, 1 failed") != std::string::npos);
    CHECK(finished.err.find("images_per_node 100000") != std::string::npos);
    CHECK(fs::exists(out() / "report.html"));
}

TEST_CASE_FIXTURE(Sweeping, "a run that fails takes no other of its family with it") {
    // One family: churn does not decide what nodes learn. There is no node-9.
    write("bad.csv", "seconds,event,node\n1,exit,node-9\n");
    write("e.toml", scenario() +
                        "[study]\nkind = \"network\"\nduration_s = 2.0\n[sweep]\n"
                        "churn = [{label = \"bad\", trace = \"bad.csv\"}, {label = \"good\"}]\n");
    const auto finished = sweep("e.toml");
    CHECK(finished.code == 1);
    CHECK(finished.out.find("2 runs, 1 made now, 0 from before, 1 failed") != std::string::npos);
    CHECK(finished.err.find("bad.csv:2") != std::string::npos);
}

TEST_CASE_FIXTURE(Sweeping, "a network under churn: rates, a trace, and accuracies over time") {
    const std::string study =
        "[study]\nkind = \"network\"\nduration_s = 120.0\nsample_every_s = 20.0\nexit_node = "
        "\"node-2\"\n";
    write("trace.csv", "seconds,event,node\n10,leave,node-0\n40,come-back,node-0\n50,crash,node-4\n");
    write("e.toml",
          scenario() + study + "[churn]\ntrace = \"trace.csv\"\n[sweep]\nlinks.loss = [0.0, 0.05]\n");
    const auto finished = sweep("e.toml");
    INFO(finished.err);
    REQUIRE(finished.code == 0);
    std::map<std::string, std::size_t> count;
    for (const auto& row : rows(out())) {
        const auto metric = row.at("metric").get<std::string>();
        ++count[metric];
        CAPTURE(row.dump());
        if (metric == "resurrections") CHECK(row.at("value") == 0.0);
        // With losses, the node that came back may have compared exits with only one of its two neighbours
        // when the other one dies: then the seed of the first waits for somebody else's word.
        if (metric == "blocked_nodes_most" && row.at("loss") == 0.0) CHECK(row.at("value") == 0.0);
        if (metric == "churn_events" && row.at("kind") != "join") CHECK(row.at("value") == 1.0);
        if (metric == "missing" && row.at("loss") == 0.0) CHECK(row.at("value") == 0.0);
        // The five nodes less the one that left for good and the one that crashed.
        if (metric == "nodes_up" && row.at("time_s") == 120.0) CHECK(row.at("value") == 3.0);
    }
    CHECK(count["accuracy"] == 2 * 7 * 4);
    CHECK(count["residual_copies"] > 0);

    // Another trace is another experiment, although its file is called the same.
    CHECK(sweep("e.toml").out.find("2 runs, 0 made now, 2 from before") != std::string::npos);
    write("trace.csv", "seconds,event,node\n10,leave,node-0\n40,come-back,node-0\n");
    CHECK(sweep("e.toml").out.find("2 runs, 2 made now, 0 from before") != std::string::npos);
}

TEST_CASE_FIXTURE(Sweeping, "a sweep that is killed leaves no process behind") {
    write("e.toml", experiment("seed = [1, 2]\ntraining.epochs = [10000]\ndistillation.epochs = [10000]\n"));
    const auto ours = "pgrep -f 'sweep-famil[y].*" + path().string() + "' >" + (path() / "pids").string();
    const std::string begun = std::string(UNLEARN_BIN_DIR) + "/unlearn-sim sweep " +
                              (path() / "e.toml").string() + " --out " + out().string() +
                              " >/dev/null 2>&1 & echo $! >" + (path() / "pid").string();
    // Their runs take longer than this.
    const auto wait_until = [](const auto& seen) {
        for (int i = 0; i < 50 && !seen(); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        return seen();
    };
    const auto children = [&] {
        static_cast<void>(std::system(ours.c_str()));
        std::istringstream pids(content_of(path() / "pids"));
        return std::distance(std::istream_iterator<int>(pids), {});
    };
    REQUIRE(std::system(begun.c_str()) == 0);
    REQUIRE(wait_until([&] { return content_of(out() / "runs" / "family-0.log").starts_with("train"); }));
    REQUIRE(children() > 0);
    const int process = std::stoi(content_of(path() / "pid"));
    REQUIRE(::kill(process, SIGKILL) == 0);
    CHECK(wait_until([&] { return children() == 0; }));
}
