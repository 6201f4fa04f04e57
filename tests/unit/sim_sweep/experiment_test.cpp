#include "sim/experiments/experiment.hpp"

#include <filesystem>
#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace unlearn::sim::experiments;
using namespace unlearn::sim::report;

namespace {

Experiment parsed(const std::string& text) {
    auto experiment = parse_experiment(text, "test.toml");
    if (!experiment) FAIL(experiment.error().message);
    return *experiment;
}

std::string error_of(const std::string& text) {
    const auto experiment = parse_experiment(text, "test.toml");
    return experiment ? "" : experiment.error().message;
}

}  // namespace

TEST_CASE("the shipped experiments are correct") {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(UNLEARN_SOURCE_DIR) /
                                                                 "topologies/experiments")) {
        if (entry.path().extension() != ".toml") continue;
        ++files;
        const auto experiment = load_experiment(entry.path());
        if (!experiment) FAIL_CHECK(experiment.error().message);
        if (experiment) CHECK(experiment->name == entry.path().stem().string());
    }
    CHECK(files >= 7);
}

TEST_CASE("a file without a sweep is one run") {
    const auto experiment = parsed("seed = 7\n");
    REQUIRE(experiment.runs.size() == 1);
    CHECK(experiment.runs[0].scenario.seed == 7);
    CHECK(experiment.runs[0].labels == std::map<std::string, Label>{{"seed", 7.0}});
    CHECK(experiment.name == "test");
}

TEST_CASE("a sweep is the product of its lists in the order of the file, the last fastest") {
    const auto experiment =
        parsed("[sweep]\nseed = [3, 1]\ndistillation.temperature = [1, 4.5]\ndata.missing = [0, 1, 2]\n");
    REQUIRE(experiment.runs.size() == 12);
    CHECK(experiment.swept == std::vector<std::string>{"seed", "temperature", "missing"});
    CHECK(experiment.runs[0].scenario.seed == 3);
    CHECK(experiment.runs[1].scenario.data.missing == 1);
    CHECK(experiment.runs[1].scenario.distillation.temperature == 1.0);
    CHECK(experiment.runs[3].scenario.distillation.temperature == 4.5);
    CHECK(experiment.runs[11].scenario.seed == 1);
    CHECK(experiment.runs[11].labels ==
          std::map<std::string, Label>{{"seed", 1.0}, {"temperature", 4.5}, {"missing", 2.0}});
}

TEST_CASE("swept tables are laid over the section and named by their label") {
    const auto experiment = parsed(
        "[ensemble]\ncalibrated = true\n[sweep]\nensemble = [{label = \"a\", rho = 0.4}, {label = \"b\", "
        "aggregation = "
        "\"hdus\"}]\n");
    REQUIRE(experiment.runs.size() == 2);
    CHECK(experiment.runs[0].scenario.ensemble.fixed_rho == 0.4);
    CHECK(experiment.runs[0].scenario.ensemble.calibrated == true);
    CHECK_FALSE(experiment.runs[1].scenario.ensemble.fixed_rho.has_value());
    CHECK(experiment.runs[1].scenario.ensemble.aggregation == unlearn::learning::Aggregation::hdus);
    CHECK(experiment.runs[1].labels.at("ensemble") == Label("b"));
}

TEST_CASE("topologies are swept by their names, and lists of architectures by all of theirs") {
    const auto experiment = parsed(
        "[topology]\nnodes = 9\n[sweep]\ntopology = [\"ring\", \"star\"]\nmodels.seed = [[\"mlp:32\"], "
        "[\"linear\", "
        "\"mlp:8\"]]\n");
    REQUIRE(experiment.runs.size() == 4);
    CHECK(experiment.runs[0].scenario.graph.edges.size() == 9);
    CHECK(experiment.runs[2].scenario.graph.edges.size() == 8);

    CHECK(experiment.runs[1].labels.at("seed") == Label(1.0));
    CHECK(experiment.runs[1].labels.at("models.seed") == Label("linear mlp:8"));
    CHECK(experiment.runs[1].scenario.models.seed == std::vector<std::string>{"linear", "mlp:8"});
}

TEST_CASE("two swept keys of one name are told apart by their sections") {
    const auto experiment = parsed("[sweep]\ntraining.epochs = [1]\ndistillation.epochs = [2]\n");
    CHECK(experiment.swept == std::vector<std::string>{"training.epochs", "distillation.epochs"});
}

TEST_CASE("a swept key is never mistaken for what a study says of a row") {
    const auto experiment =
        parsed("[topology]\nkind = \"random-regular\"\n[sweep]\ntopology.degree = [2, 4]\n");
    CHECK(experiment.swept == std::vector<std::string>{"topology.degree"});
    CHECK(experiment.runs[1].labels.at("topology.degree") == Label(4.0));
    CHECK_FALSE(experiment.runs[1].labels.contains("degree"));
}

TEST_CASE("runs that share data and main models are one family") {
    const auto experiment = parsed(
        "[sweep]\nseed = [1, 2]\ndistillation.temperature = [1, 3]\nensemble.rho = [0.2, 0.4]\npoison.nodes "
        "= [0, 1]\n");
    REQUIRE(experiment.runs.size() == 16);
    CHECK(experiment.families == 2);
    CHECK(experiment.runs[7].family == experiment.runs[0].family);
    CHECK(experiment.runs[8].family != experiment.runs[0].family);
    const auto trained_apart = parsed("[sweep]\ntraining.epochs = [1, 2]\n");
    CHECK(trained_apart.families == 2);
}

TEST_CASE("what decides a run's result is in its effective text, and what does not is not") {
    const std::string plain = "[sweep]\nseed = [1, 2]\n";
    const auto experiment = parsed(plain);
    CHECK(experiment.runs[0].effective != experiment.runs[1].effective);
    const auto described = parsed("description = \"x\"\n" + plain +
                                  "[[plot]]\ntitle = \"t\"\nmetric = \"accuracy\"\nx = \"seed\"\n");
    CHECK(described.runs[0].effective == experiment.runs[0].effective);
    const auto grown = parsed("[sweep]\nseed = [5, 1]\n");
    CHECK(grown.runs[1].effective == experiment.runs[0].effective);
    CHECK(parsed("seed = 1\n[poison]\nnodes = 1\n").runs[0].effective !=
          parsed("seed = 1\n").runs[0].effective);
}

TEST_CASE("plots and tables come in the order of the file") {
    const auto experiment = parsed(
        "[[table]]\ntitle = \"one\"\nmetric = \"accuracy\"\ndown = [\"node\"]\nacross = \"method\"\nscale = "
        "100\n"
        "where = { scope = \"own\", departed = [0, 1] }\n"
        "[[plot]]\ntitle = \"two\"\nmetric = \"rho\"\nx = \"seed\"\nkind = \"bars\"\nseries = "
        "\"method\"\nlog_y = true\n"
        "[[table]]\ntitle = \"three\"\nmetric = \"gain\"\ndown = [\"node\"]\nacross = \"method\"\n");
    REQUIRE(experiment.figures.size() == 3);
    const auto& first = std::get<TableSpec>(experiment.figures[0]);
    CHECK(first.title == "one");
    CHECK(first.scale == 100.0);
    CHECK(first.rows.where.at("departed") == std::vector<Label>{0.0, 1.0});
    CHECK(first.rows.where.at("scope") == std::vector<Label>{Label("own")});
    const auto& second = std::get<PlotSpec>(experiment.figures[1]);
    CHECK(second.kind == PlotSpec::Kind::bars);
    CHECK(second.series == "method");
    CHECK(second.log_y);
    CHECK(std::get<TableSpec>(experiment.figures[2]).title == "three");
}

TEST_CASE("what is wrong in an experiment is one line that names where") {
    CHECK(error_of("[sweep]\nseed = 3\n").starts_with("test.toml:2: sweep.seed must be a list"));
    CHECK(error_of("[sweep]\nseed = []\n").starts_with("test.toml:2: sweep.seed must be a list"));
    CHECK(error_of("[sweep]\nseed = [1, 1]\n").starts_with("test.toml:2: sweep.seed has 1 twice"));
    CHECK(error_of("[sweep]\nensemble = [{rho = 0.5}]\n")
              .starts_with("test.toml:2: sweep.ensemble has an element without"));
    // A swept value that no scenario may have is found in its list, by line.
    CHECK(error_of("seed = 1\n[sweep]\ndistillation.temperature = [1,\n  -3]\n")
              .starts_with("test.toml:4: distillation.temperature = -3"));
    CHECK(
        error_of("[sweep]\ndistillation.temperatur = [1]\n").find("unknown key 'distillation.temperatur'") !=
        std::string::npos);
    CHECK(error_of("[study]\nkind = \"lerning\"\n").starts_with("test.toml:2: study.kind"));
    CHECK(error_of("[study]\none_modell = \"linear\"\n")
              .starts_with("test.toml:2: unknown key 'study.one_modell'"));
    CHECK(error_of("[[plot]]\ntitle = \"t\"\nmetric = \"m\"\n").find("plot.x is missing") !=
          std::string::npos);
    CHECK(error_of(
              "[[table]]\ntitle = \"t\"\nmetric = \"m\"\ndown = [\"x\"]\nacross = \"y\"\nwhere = {z = {}}\n")
              .starts_with("test.toml:6: table.where .z must be"));
    CHECK(error_of("a = = 1\n").starts_with("test.toml:1: not TOML"));
    std::string many = "[sweep]\n";
    for (const char* key :
         {"seed", "data.missing", "data.reference", "training.epochs", "distillation.epochs"}) {
        many += std::string(key) + " = [";
        for (int i = 1; i <= 8; ++i)
            many += std::to_string(i) + ", ";
        many += "]\n";
    }
    CHECK(error_of(many).find("more than 10000 combinations") != std::string::npos);
}
