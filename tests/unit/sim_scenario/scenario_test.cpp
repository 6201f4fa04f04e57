#include "sim/scenario/scenario.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <doctest/doctest.h>
#include <unistd.h>

#include "node/learning/data/training_options.hpp"
#include "tests/support/commented_keys.hpp"

using namespace unlearn;
using sim::scenario::Scenario;

namespace {

namespace fs = std::filesystem;

/// A folder that is gone after the test.
class Folder {
  public:
    Folder() : path_(fs::temp_directory_path() / ("unlearn-scenario-" + std::to_string(::getpid()))) {
        fs::remove_all(path_);
        fs::create_directories(path_);
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] fs::path write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
        return path_ / name;
    }

  private:
    fs::path path_;
};

std::optional<std::string> only_linear_and_mlp(std::string_view text) {
    if (text == "linear" || text.substr(0, 4) == "mlp:") return std::nullopt;
    return "no such architecture; allowed: linear, mlp:WIDTH";
}

Scenario parse(const std::string& text) {
    auto scenario = sim::scenario::parse_scenario(text, "/somewhere/x.toml");
    if (!scenario) FAIL(scenario.error().message);
    return *scenario;
}

/// Whether `text` is refused in one line that names x.toml, `line`, and everything in `parts`.
void check_refused(const std::string& text, int line, std::initializer_list<std::string> parts) {
    CAPTURE(text);
    const auto scenario =
        sim::scenario::parse_scenario(text, "x.toml", {.check_architecture = only_linear_and_mlp});
    REQUIRE_FALSE(scenario);
    const std::string message = scenario.error().message;
    CAPTURE(message);
    CHECK(message.rfind("x.toml:" + std::to_string(line) + ": ", 0) == 0);
    CHECK(message.find('\n') == std::string::npos);
    for (const auto& part : parts) {
        CAPTURE(part);
        CHECK(message.find(part) != std::string::npos);
    }
}

/// A correct beginning of two lines, so that what follows starts on line 3.
const std::string kModels = "[models]\nmain = [\"linear\"]\n";

}  // namespace

TEST_CASE("an empty file is the default scenario") {
    const Scenario scenario = parse("");
    CHECK(scenario.name == "x");
    CHECK(scenario.seed == 1);
    CHECK(scenario.graph.size() == 8);
    CHECK(scenario.graph.connected());
    CHECK(scenario.graph.names[3] == "node-3");
    CHECK(scenario.exits.empty());
    CHECK_FALSE(scenario.training.epochs);
}

TEST_CASE("values are read") {
    const Scenario scenario = parse(R"(
name = "trial"
seed = 7
[data]
kind = "csv"
path = "train.csv"
test_path = "/data/test.csv"
partition = "dirichlet"
alpha = 1
[topology]
kind = "ring"
nodes = 5
[models]
main = ["linear", "cnn:16-32"]
[training]
epochs = 3
learning_rate = 0.01
[ensemble]
aggregation = "hdus"
[network]
exit_timeout_s = 5
[[exit]]
node = "node-4"
[[exit]]
node = "node-0"
[run]
threads = 1
)");
    CHECK(scenario.name == "trial");
    CHECK(scenario.seed == 7);
    CHECK(scenario.data.kind == sim::scenario::DataSettings::Kind::csv);
    CHECK(scenario.data.path == "/somewhere/train.csv");
    CHECK(scenario.data.test_path == "/data/test.csv");
    CHECK(scenario.data.partition == sim::scenario::DataSettings::Partition::dirichlet);
    CHECK(scenario.data.alpha == 1.0);
    CHECK(scenario.graph.edges.size() == 5);
    CHECK(scenario.main_architecture(3) == "cnn:16-32");
    CHECK(scenario.seed_architecture(3) == "mlp:32");
    CHECK(scenario.training.epochs == 3U);
    CHECK(scenario.training.learning_rate == 0.01);
    CHECK_FALSE(scenario.distillation.temperature);
    CHECK(scenario.ensemble.aggregation == learning::Aggregation::hdus);
    CHECK(learning::traits_of(scenario.ensemble.aggregation).name == "hdus");
    CHECK(scenario.network.exit_timeout == std::chrono::seconds(5));
    REQUIRE(scenario.exits.size() == 2);
    CHECK(scenario.exits[0].node == "node-4");
    CHECK(scenario.exits[1].node == "node-0");
    CHECK(scenario.run.threads == 1);
}

TEST_CASE("the seed given on the command line replaces the file's, for the graph too") {
    const std::string text = "seed = 1\n[topology]\nnodes = 30\nrewire = 0.5\n";
    const auto one = sim::scenario::parse_scenario(text, "x.toml");
    const auto two = sim::scenario::parse_scenario(text, "x.toml", {.seed = 2});
    REQUIRE(two);
    CHECK(two->seed == 2);
    CHECK(one->graph.edges != two->graph.edges);
    const std::string fixed = text + "seed = 5\n";
    CHECK(sim::scenario::parse_scenario(fixed, "x.toml")->graph ==
          sim::scenario::parse_scenario(fixed, "x.toml", {.seed = 2})->graph);
}

TEST_CASE("the shipped scenarios are correct") {
    const fs::path folder = fs::path(UNLEARN_SOURCE_DIR) / "sim" / "scenarios";
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() != ".toml") continue;
        const auto scenario = sim::scenario::load_scenario(entry.path());
        if (!scenario) FAIL(scenario.error().message);
        CHECK(scenario->name == entry.path().stem().string());
        CHECK(scenario->exits.size() == 1);
    }
}

TEST_CASE("an unknown key is named with the nearest known one") {
    check_refused("name = \"x\"\nsede = 3\n", 2, {"unknown key 'sede'", "did you mean 'seed'"});
    check_refused("[data]\n\npartitoin = \"iid\"\n", 3, {"'data.partitoin'", "'data.partition'"});
    check_refused("[topolgy]\nnodes = 3\n", 1, {"unknown section 'topolgy'", "'topology'"});
    check_refused("[run]\nprocesses = 3\n", 2, {"'run.processes'", "allowed: threads"});
    check_refused("[[exit]]\nnode = \"node-1\"\nat = 3\n", 3, {"'exit.at'", "allowed: node"});
}

TEST_CASE("a value of the wrong type is named with what is allowed") {
    check_refused("seed = \"one\"\n", 1, {"seed = \"one\"", "whole number"});
    check_refused("seed = 1.5\n", 1, {"seed = 1.5", "whole number"});
    check_refused("[data]\nreference = \"many\"\n", 2, {"data.reference", "whole number from 1"});
    check_refused("[data]\nvalidation = true\n", 2, {"data.validation = true", "a number"});
    check_refused("[data]\nkind = 3\n", 2, {"data.kind = 3", "\"idx\", \"csv\""});
    check_refused("[models]\nmain = \"linear\"\n", 2, {"models.main", "a list of texts"});
    check_refused("[models]\nmain = []\n", 2, {"models.main", "empty list"});
    check_refused("[models]\nfeatures = \"patches:64\"\n", 2,
                  {"models.features", "unknown feature map \"patches:64\"", "fourier:1024"});
    check_refused("[models]\nmain = [\"linear\", 3]\n", 2, {"models.main", "= 3"});
    check_refused("data = 3\n", 1, {"data = 3", "[data]"});
    check_refused("exit = \"node-1\"\n", 1, {"exit", "[[exit]]"});
    check_refused("name = 1979-05-27\n", 1, {"name", "date"});
}

TEST_CASE("an impossible value is named with what is allowed") {
    check_refused("seed = -1\n", 1, {"seed = -1", "from 0"});
    check_refused("name = \"../x\"\n", 1, {"name", "letters"});
    check_refused("[data]\nimages_per_node = 0\n", 2, {"data.images_per_node = 0", "from 1"});
    check_refused("[data]\nalpha = 0\n", 2, {"data.alpha = 0", "above 0"});
    check_refused("[data]\nalpha = nan\n", 2, {"data.alpha", "a number"});
    check_refused("[data]\nvalidation = 1.0\n", 2, {"data.validation", "up to 0.5"});
    check_refused("[data]\npartition = \"missing\"\n", 2, {"\"missing\"", "\"dirichlet\""});
    check_refused("[data]\npartition = \"missing-clases\"\n", 2, {"perhaps \"missing-classes\""});
    check_refused("[data]\nkind = \"csv\"\npath = \"a.csv\"\n", 1, {"data.test_path is missing"});
    check_refused("[data]\ntest_path = \"a.csv\"\n", 2, {"data.test_path", "csv"});
    check_refused("[topology]\nnodes = 1\n", 2, {"topology.nodes = 1", "from 2"});
    check_refused("\n[topology]\ndegree = 3\n", 2, {"topology", "even number from 2 to 6"});
    check_refused("[topology]\nkind = \"smal-world\"\n", 2, {"perhaps \"small-world\""});
    check_refused("[topology]\nkind = \"ring\"\nfile = \"g.txt\"\n", 3, {"topology.file", "\"ring\""});
    check_refused("[topology]\nkind = \"file\"\n", 1, {"topology.file is missing"});
    check_refused(kModels + "seed = [\"mlpp:3\"]\n", 3, {"models.seed", "\"mlpp:3\"", "allowed: linear"});
    check_refused(kModels + "[training]\nepochs = 0\n", 4, {"training.epochs = 0"});
    check_refused(kModels + "[distillation]\ntemperature = 0\n", 4, {"distillation.temperature", "above 0"});
    check_refused(kModels + "[ensemble]\naggregation = \"mean\"\n", 4, {"\"mean-probabilities\""});
    check_refused(kModels + "[network]\ntransport = \"tcp\"\n", 4, {"network.transport", "\"zmq\""});
    check_refused(kModels + "[network]\nbase_port = 65530\n", 4, {"network.base_port", "65536"});
    check_refused(kModels + "[network]\nexit_timeout_s = 0\n", 4, {"network.exit_timeout_s"});
    check_refused(kModels + "[run]\nthreads = 0\n", 4, {"run.threads"});
}

TEST_CASE("an exit is of a node that exists, once, and somebody stays") {
    check_refused("[[exit]]\nnode = \"node-8\"\n", 2, {"exit.node = \"node-8\"", "did you mean \"node-"});
    check_refused("[[exit]]\nnode = \"bob\"\n", 2, {"\"bob\"", "\"node-0\" to \"node-7\""});
    check_refused("[[exit]]\n", 1, {"exit.node is missing"});
    check_refused("[[exit]]\nnode = \"node-1\"\n[[exit]]\nnode = \"node-1\"\n", 4, {"exits twice"});
    check_refused(
        "[[exit]]\nnode = \"node-0\"\n[[exit]]\nnode = \"node-1\"\n[topology]\nkind = \"line\"\nnodes = 2\n",
        4, {"no node behind"});
}

TEST_CASE("of several mistakes the first in the file is reported") {
    check_refused("[run]\nthreads = 0\n[data]\nreference = 0\n", 2, {"run.threads"});
}

TEST_CASE("what is not TOML names its line") {
    check_refused("seed = 1\nname = \n", 2, {"not TOML"});
    check_refused("seed = 1\n\nseed = 2\n", 3, {"not TOML"});
    check_refused("[data\n", 1, {"not TOML"});
    check_refused(std::string("seed = 1\n\x01\xff", 11), 2, {"not TOML"});
}

TEST_CASE("a file that cannot be read is named") {
    const auto missing = sim::scenario::load_scenario("/nonexistent/y.toml");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message == "/nonexistent/y.toml: no such file");
    CHECK_FALSE(sim::scenario::load_scenario("/tmp"));
}

TEST_CASE("a graph file gives the nodes their names") {
    const Folder folder;
    (void)folder.write("graph.txt", "alice bob\nbob carol\n");
    const auto scenario = sim::scenario::load_scenario(
        folder.write("x.toml", "[topology]\nfile = \"graph.txt\"\n[[exit]]\nnode = \"bob\"\n"));
    if (!scenario) FAIL(scenario.error().message);
    CHECK(scenario->graph.names == std::vector<std::string>{"alice", "bob", "carol"});
}

TEST_CASE("mistakes around a graph file name both files") {
    const Folder folder;
    const auto message_of = [&](const std::string& graph, const std::string& text) {
        (void)folder.write("graph.txt", graph);
        const auto scenario = sim::scenario::load_scenario(folder.write("x.toml", text));
        REQUIRE_FALSE(scenario);
        return scenario.error().message;
    };
    const std::string text = "[topology]\nfile = \"graph.txt\"\n";
    const std::string twice = message_of("node a\nnode b\nnode a\n", text);
    CAPTURE(twice);
    CHECK(twice.find("x.toml:2: ") != std::string::npos);
    CHECK(twice.find("graph.txt:3: node 'a' is listed twice") != std::string::npos);
    CHECK(message_of("a b\nc d\n", text).find("graph.txt:2: the graph is not connected") !=
          std::string::npos);
    CHECK(message_of("node a\n", text).find("x.toml:2: topology.file has 1 nodes") != std::string::npos);
    CHECK(message_of("a b\n", text + "nodes = 2\n").find("x.toml:3: topology.nodes has no effect") !=
          std::string::npos);
    CHECK(
        message_of("a b\n", "[topology]\nfile = \"g.txt\"\n").find("x.toml:2: topology.file names no file") !=
        std::string::npos);
}

TEST_CASE("what the quickstart shows commented out is what is done without it") {
    std::ifstream file(UNLEARN_SOURCE_DIR "/sim/scenarios/quickstart.toml");
    const auto text = unlearn::testing::with_commented_keys(
        std::string(std::istreambuf_iterator<char>(file), {}),
        {"epochs", "batch", "learning_rate", "weight_decay", "temperature"});
    const auto scenario = sim::scenario::parse_scenario(text, "quickstart.toml", {});
    if (!scenario) FAIL(scenario.error().message);
    unlearn::testing::check_shows_defaults(scenario->training, scenario->distillation, "cnn:16x32",
                                           "cnn:8x16+32");

    // The other kinds stand in sentences above them.
    const auto defaults = [](const std::string& architecture) {
        return learning::default_training(*learning::parse_architecture(architecture)).optimisation;
    };
    const auto cnn = defaults("cnn:16x32");
    const auto linear = defaults("linear");
    const auto mlp = defaults("mlp:100");
    std::ostringstream sentence;
    sentence << "linear " << linear.epochs << " epochs at " << linear.learning_rate << " without decay, mlp "
             << mlp.epochs << " at " << mlp.learning_rate << " and " << mlp.weight_decay
             << ",\n# cnn and resnet " << cnn.epochs << " at " << cnn.learning_rate << " and "
             << cnn.weight_decay << ".\n";
    CHECK_MESSAGE(text.find(sentence.str()) != std::string::npos, sentence.str());
    CHECK(linear.weight_decay == 0.0);
    CHECK(defaults("resnet:8x12+1").epochs == cnn.epochs);

    for (const std::string seed : {"linear", "mlp:32", "resnet:8x12+1"}) {
        const auto distilled = learning::default_distillation(*learning::parse_architecture(seed));
        CHECK(distilled.optimisation.learning_rate == *scenario->distillation.learning_rate);
        CHECK(distilled.optimisation.batch == *scenario->distillation.batch);
        CHECK(text.find("linear, mlp and resnet seeds get " + std::to_string(distilled.optimisation.epochs) +
                        " epochs.\n") != std::string::npos);
    }
}
