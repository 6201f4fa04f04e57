#include <chrono>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "node/learning/data/table.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/sim_playground.hpp"

/// Data as people have them, and runs that cannot succeed.

namespace {

using namespace unlearn;
using namespace unlearn::testing;
using Row = std::vector<std::string>;

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    REQUIRE(mentions(text, what));
    return text.replace(text.find(what), what.size(), with);
}

/// The file with every row (the header too) as `change` makes it.
std::string changed(const std::string& csv, const std::function<Row(Row)>& change, char separator = ',') {
    std::istringstream lines(csv);
    std::string out;
    for (std::string line; std::getline(lines, line);) {
        Row row;
        std::istringstream cells(line);
        for (std::string cell; std::getline(cells, cell, ',');)
            row.push_back(cell);
        row = change(row);
        for (std::size_t i = 0; i < row.size(); ++i)
            out += (i == 0 ? "" : std::string(1, separator)) + row[i];
        out += '\n';
    }
    return out;
}

Row turned(const Row& row) {
    return {row[3], row[5], row[0], row[4], row[1], row[2]};
}

/// Five small nodes, quick enough to be run many times.
struct Small : Ready {
    std::string train = content_of(path() / "train.csv");
    std::string test = content_of(path() / "test.csv");

    Small() { write("points.toml", replaced(scenario(), "epochs = 60", "epochs = 20")); }

    /// What the nodes of a run score, and how they predict.
    [[nodiscard]] json scores(const std::string& more = "") const {
        const auto finished = sim(run("points.toml", more));
        INFO(finished.err);
        REQUIRE(finished.code == 0);
        const json told = result("out");
        json out;
        for (const auto& node : told["nodes"])
            out.push_back({node["accuracy"], node["rho"]});
        return out;
    }
    void refused(const std::string& words, const std::string& more = "") const {
        fs::remove_all(path() / "out");
        const auto finished = sim(run("points.toml", more));
        CHECK(finished.code == 2);
        CHECK_MESSAGE(mentions(finished.err, words), finished.err);
        CHECK_FALSE(mentions(finished.err, "train:"));
        CHECK_FALSE(fs::exists(path() / "out/result.json"));
    }
    [[nodiscard]] std::string file(const std::string& name) const { return (path() / name).string(); }
};

TEST_CASE("columns of the simulator's files are matched by name") {
    const Small small;
    const json plain = small.scores();
    small.write("test.csv", changed(small.test, turned));
    CHECK(small.scores() == plain);
    // The control: by place, the same cells under other names, they score otherwise.
    small.write("test.csv", replaced(changed(small.test, turned), "d,kind,a,e,b,c", "a,kind,b,c,d,e"));
    CHECK(small.scores() != plain);

    small.write("test.csv", changed(small.test, [](Row row) {
                    return Row{row[0], row[1], row[3], row[4], row[5]};
                }));
    small.refused("test.csv:1: lacks column \"c\", which " + small.file("train.csv") + " has");
    small.write("test.csv", replaced(small.test, "a,b,c", "a,b,z"));
    small.refused("test.csv:1: has column \"z\", where " + small.file("train.csv") + " has column \"c\"");
    small.write("test.csv", changed(small.test, [](Row row) {
                    row.push_back(row[0] == "a" ? "new" : "1");
                    return row;
                }));
    small.refused("test.csv:1: has column \"new\"");
    // Daemons say it before they are started.
    small.refused("test.csv:1: has column \"new\"", "--processes");
}

TEST_CASE("data that no model can learn from are refused by name") {
    const Small small;
    const auto alike = [](Row row) {
        if (row[5] != "kind") row[5] = "k0";
        return row;
    };
    small.write("train.csv", changed(small.train, alike));
    small.write("test.csv", changed(small.test, alike));
    small.refused(small.file("train.csv") + ": all examples have the same label \"k0\"");
    small.write("train.csv", small.train);
    small.write("test.csv", small.test);
    small.write("points.toml", replaced(scenario(), "\"linear\", \"mlp:16\"", "\"cnn:8\""));
    small.refused("points.toml: models.main: architecture cnn:8 pools");
    const auto folder = small.sim("verify " + small.path().string());
    CHECK(folder.code == 2);
    CHECK(mentions(folder.err, small.path().string() + ": Is a directory"));
}

TEST_CASE("a column in the thousands ends no learning: numbers are scaled by the reference set") {
    const Small small;
    const auto mean = [&](const std::string& more) {
        static_cast<void>(small.scores(more));
        const json full = small.result("out")["summary"]["accuracy"]["full"];
        return std::pair<double, double>(full["main"], full["ensemble"]);
    };
    const auto large = [](Row row) {
        if (row[0] != "a") row[0] = std::to_string(std::stod(row[0]) * 5000 + 70'000);
        return row;
    };
    for (const std::string how : {"", "--processes"}) {
        CAPTURE(how);
        small.write("train.csv", small.train);
        small.write("test.csv", small.test);
        const auto plain = mean(how);
        small.write("train.csv", changed(small.train, large));
        small.write("test.csv", changed(small.test, large));
        const auto scaled = mean(how);
        CHECK(scaled.first == doctest::Approx(plain.first).epsilon(0.02));
        CHECK(scaled.second == doctest::Approx(plain.second).epsilon(0.02));
        CHECK(plain.second > 0.7);
    }
}

TEST_CASE("what stands between fields and before decimals is found, or told") {
    const Small small;
    const json plain = small.scores();
    const auto with_commas = [](Row row) {
        for (auto& cell : row)
            if (const auto point = cell.find('.'); point != std::string::npos) cell[point] = ',';
        return row;
    };
    small.write("train.csv", "\xEF\xBB\xBF" + changed(small.train, with_commas, ';'));
    small.write("test.csv", changed(
                                small.test, [](Row row) { return row; }, '\t'));
    CHECK(small.scores() == plain);
    small.write("points.toml", replaced(content_of(small.path() / "points.toml"), "label = \"kind\"\n",
                                        "label = \"kind\"\nseparator = \";\"\ndecimal = \",\"\n"));
    small.write("test.csv", changed(small.test, with_commas, ';'));
    CHECK(small.scores() == plain);
    small.write("points.toml",
                replaced(content_of(small.path() / "points.toml"), "separator = \";\"", "separator = \"x\""));
    small.refused("points.toml:8: data.separator = \"x\"; allowed: ");
}

TEST_CASE("columns that look like no measurement are warned about, once each") {
    const Small small;
    int number = 0;
    small.write("train.csv", changed(small.train, [&](Row row) {
                    const bool header = row[0] == "a";
                    row.insert(row.begin(), header ? "" : std::to_string(number++));
                    row.insert(row.begin() + 1, header ? "site" : "7");
                    return row;
                }));
    small.write("test.csv", changed(small.test, [&](Row row) {
                    const bool header = row[0] == "a";
                    row.insert(row.begin(), header ? "" : std::to_string(number++));
                    row.insert(row.begin() + 1, header ? "site" : "7");
                    return row;
                }));
    const auto finished = small.sim(small.run("points.toml"));
    CHECK(finished.code == 0);
    CHECK_MESSAGE(
        mentions(finished.err, "warning: " + small.file("train.csv") + ": column number 1 has no name"),
        finished.err);
    CHECK_MESSAGE(mentions(finished.err, "warning: " + small.file("train.csv") +
                                             ": column \"site\" holds the same value in every row"),
                  finished.err);
    const std::string err = finished.err;
    std::size_t warnings = 0;
    for (auto at = err.find("warning: "); at != std::string::npos; at = err.find("warning: ", at + 1))
        ++warnings;
    CHECK(warnings == 2);
    small.write("train.csv", small.train);
    small.write("test.csv", small.test);
    CHECK_FALSE(mentions(small.sim(small.run("points.toml")).err, "warning"));
}

TEST_CASE("labels of images that start at 1 make no phantom class, wherever the files lie") {
    const Small small;
    small.write(
        "points.toml",
        "name = \"images\"\n[data]\nkind = \"idx\"\npath = \"images\"\nreference = 200\nimages_per_node = "
        "200\nmissing = 1\n[topology]\nkind = \"ring\"\nnodes = 3\n[models]\nmain = [\"linear\"]\nseed = "
        "[\"linear\"]\n[training]\nepochs = 100\n[[exit]]\nnode = \"node-1\"\n");
    const auto folder = small.path() / "images";
    // Three kinds of images of 4 x 4 pixels.
    const auto write_images = [&](std::int32_t first_label) {
        learning::LabelledData table;
        table.shape = {1, 4, 4};
        std::vector<std::size_t> rows;
        unsigned state = 7;
        for (std::size_t row = 0; row < 2000; ++row) {
            const auto kind = row % 3;
            for (std::size_t pixel = 0; pixel < 16; ++pixel) {
                state = state * 1664525U + 1013904223U;
                const float noise = static_cast<float>(state >> 8) / (1 << 24);
                table.features.push_back((pixel / 5 == kind ? 0.6F : 0.0F) + 0.4F * noise);
            }
            table.labels.push_back(static_cast<std::int32_t>(kind) + first_label);
            rows.push_back(row);
        }
        fs::remove_all(folder);
        fs::create_directories(folder);
        write_idx_part(folder, "train", table, rows);
        write_idx_part(folder, "t10k", table, {rows.begin(), rows.begin() + 300});
        for (const std::string part : {"train-images", "train-labels", "t10k-images", "t10k-labels"})
            fs::rename(folder / part,
                       folder / (part + (part.ends_with("images") ? "-idx3-ubyte" : "-idx1-ubyte")));
    };
    write_images(0);
    const json plain = small.scores();
    const json told = small.result("out");
    CHECK(told["nodes"][0]["main_parameters"] == 16 * 3 + 3);
    write_images(1);
    CHECK(small.scores() == plain);
    // As archives leave them: each file in a folder of its name.
    for (const auto& entry : std::vector<fs::directory_entry>(fs::directory_iterator(folder), {})) {
        const auto aside = folder / "aside";
        fs::rename(entry.path(), aside);
        fs::create_directories(entry.path());
        fs::rename(aside, entry.path() / entry.path().filename());
    }
    CHECK(small.scores() == plain);
    const json result = small.result("out");
    for (const auto& node : result["nodes"]) {
        REQUIRE(node["missing_classes"].size() == 1);
        const json missing = node["missing_classes"][0];
        CHECK_MESSAGE((missing == "1" || missing == "2" || missing == "3"), missing.dump());
    }
}

TEST_CASE("seeds that are held aside have arrived: the run goes on, and says who and why") {
    const Small small;
    small.write("points.toml", replaced(scenario(), "epochs = 40", "epochs = 40\nlearning_rate = 100"));
    for (const std::string how : {"", "--processes", "--transport virtual"}) {
        CAPTURE(how);
        const auto begin = std::chrono::steady_clock::now();
        const auto finished = small.sim(small.run("points.toml", how));
        INFO(finished.err);
        const json result = small.result("out");
        REQUIRE(result["held_aside"].size() == 10);
        for (const auto& seed : result["held_aside"])
            CHECK_MESSAGE(mentions(seed["why"], "its answers hardly depend on the input: "), seed.dump());
        CHECK(mentions(finished.out, "Held aside: 10 seeds"));
        CHECK(
            mentions(content_of(small.path() / "out/report.html"), "its answers hardly depend on the input"));
        // The holder of a seed that does nothing has proved nothing, and that is what it says.
        CHECK(finished.code == (how == "--processes" ? 0 : 1));
        CHECK(result["exits"][0]["receipts"] == 2);
        // Far below the limit of the exchange, which used to be waited for.
        if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(30)) MESSAGE("slow: ", how);
        CHECK_FALSE(mentions(finished.err, "of 10 seeds arrived"));
    }
    small.write("points.toml", scenario());
    static_cast<void>(small.scores());
    CHECK(small.result("out")["held_aside"].empty());
}

TEST_CASE("a full disk ends the run with its name, and not after the time limit") {
    const Small small;
    const auto disk = small.path() / "disk";
    fs::create_directories(disk);
    // An hour: whoever waits for seeds that nobody can store fails this test by its time limit.
    small.write("points.toml", replaced(content_of(small.path() / "points.toml"), "exchange_timeout_s = 30",
                                        "exchange_timeout_s = 3600"));
    const auto run_on = [&](const std::string& size, const std::string& how) {
        const std::string command = "unshare -m bash -c 'mount -t tmpfs -o size=" + size + " tmpfs " +
                                    disk.string() + " || exit 77; exec " + std::string(UNLEARN_BIN_DIR) +
                                    "/unlearn-sim run " + small.file("points.toml") + " --out " +
                                    (disk / "out").string() + " " + how + "' >" + small.file("stdout") +
                                    " 2>" + small.file("stderr");
        const int status = std::system(command.c_str());
        return Finished{WIFEXITED(status) ? WEXITSTATUS(status) : 128, content_of(small.path() / "stdout"),
                        content_of(small.path() / "stderr")};
    };
    const auto enough = run_on("64m", "");
    if (enough.code == 77 || mentions(enough.err, "unshare: ")) {
        MESSAGE("not tried: mounting is not allowed here");
        return;
    }
    CHECK_MESSAGE(enough.code == 0, enough.err);
    // Where the disk ends depends on its size: in the node's first start, or at the first seed that arrives.
    for (const std::string size : {"100k", "600k", "1000k", "1500k"})
        for (const std::string how : {"", "--processes"}) {
            CAPTURE(size);
            const auto full = run_on(size, how);
            CHECK(full.code != 0);
            CHECK_MESSAGE(
                (mentions(full.err, "disk is full") || mentions(full.err, "No space left on device")),
                full.err);
            CHECK_MESSAGE(mentions(full.err, "unlearn-sim: "), full.err);
        }
}

TEST_CASE("virtual time can be asked for in the scenario") {
    const Small small;
    const auto text = content_of(small.path() / "points.toml");
    small.write("points.toml",
                replaced(text, "exit_timeout_s = 20", "exit_timeout_s = 20\ntransport = \"virtual\""));
    static_cast<void>(small.scores());
    CHECK(small.result("out")["transport"] == "virtual");
    small.write("points.toml", text);
    static_cast<void>(small.scores("--transport virtual"));
    CHECK(small.result("out")["transport"] == "virtual");
    static_cast<void>(small.scores());
    CHECK_FALSE(small.result("out")["transport"] == "virtual");
    small.write("points.toml",
                replaced(text, "exit_timeout_s = 20", "exit_timeout_s = 20\ntransport = \"virtaul\""));
    small.refused("network.transport");
}

TEST_CASE("a graph file is read as what it is, whatever its ending says") {
    const Small small;
    const auto text = content_of(small.path() / "points.toml");
    const auto with_graph = [&](const std::string& keys) {
        small.write("points.toml",
                    replaced(replaced(text, "kind = \"ring\"\nnodes = 5", "kind = \"file\"\n" + keys),
                             "node-2", "2"));
    };
    small.write("graph.txt",
                "\xEF\xBB\xBF"
                "5\n0,1\n1,2\n2,3\n3,4\n4,0\n0,4\n");
    with_graph("file = \"graph.txt\"");
    static_cast<void>(small.scores());
    CHECK(small.result("out")["nodes"].size() == 5);
    small.write("graph.data", "0 1 4\n1 0 2\n2 1 3\n3 2 4\n4 3 0\n");
    with_graph("file = \"graph.data\"");
    small.refused("graph.data");
    with_graph("file = \"graph.data\"\nformat = \"adjlist\"");
    static_cast<void>(small.scores());
    CHECK(small.result("out")["nodes"].size() == 5);
}

}  // namespace
