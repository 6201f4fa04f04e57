#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "node/config/node_config.hpp"
#include "tests/support/commented_keys.hpp"

namespace {

using namespace unlearn;
using config::DataKind;
using config::SampleChoices;

SampleChoices choices(DataKind kind) {
    SampleChoices out;
    out.data_dir = "/srv/node";
    out.control_socket = "/srv/s";
    out.network_name = "home";
    out.data.kind = kind;
    if (kind == DataKind::csv) {
        out.data.path = "/srv/rows.csv";
        out.data.label = "class";
    } else {
        out.data.images = "/srv/images.gz";
        out.data.labels = "/srv/labels.gz";
    }
    out.data.reference = "/srv/reference";
    out.data.classes = {"cat", "dog", "other thing"};
    out.main_model = "mlp:64x32";
    out.seed_model = "linear";
    return out;
}

config::NodeConfig parsed_back(const SampleChoices& choices) {
    const auto text = config::sample_config(choices);
    INFO(text);
    auto parsed = config::parse_node_config(text, "/etc/unlearnd/node.toml");
    REQUIRE_MESSAGE(parsed, parsed.error().text());
    CHECK(parsed->data_dir == choices.data_dir);
    CHECK(parsed->control_socket == choices.control_socket);
    CHECK(parsed->data.kind == choices.data.kind);
    CHECK(parsed->data.path == choices.data.path);
    CHECK(parsed->data.images == choices.data.images);
    CHECK(parsed->data.labels == choices.data.labels);
    CHECK(parsed->data.reference == choices.data.reference);
    CHECK(parsed->data.classes == choices.data.classes);
    CHECK(parsed->data.label == choices.data.label);
    CHECK(parsed->model.main.text() == choices.main_model);
    CHECK(parsed->model.seed.text() == choices.seed_model);
    return std::move(*parsed);
}

TEST_CASE("the configuration that init writes says what was chosen, and the defaults for the rest") {
    for (const auto kind : {DataKind::csv, DataKind::idx}) {
        for (const bool listens : {false, true}) {
            for (const bool keyed : {false, true}) {
                auto chosen = choices(kind);
                if (listens) chosen.listen = "tcp://0.0.0.0:7411";
                const auto key = protocol::Identity::generate().id();
                if (keyed) {
                    chosen.network_name.clear();
                    chosen.network_key = key.text();
                }
                const auto config = parsed_back(chosen);
                CHECK(config.listen == (listens ? std::optional(chosen.listen) : std::nullopt));
                CHECK(config.network_name == chosen.network_name);
                CHECK(config.network_key == (keyed ? std::optional(key) : std::nullopt));
                const config::NodeConfig defaults;
                CHECK(config.log_level == defaults.log_level);
                CHECK(config.data.validation == defaults.data.validation);
                CHECK(config.data.watch == defaults.data.watch);
                CHECK(config.members.policy == defaults.members.policy);
                CHECK(config.members.limit == defaults.members.limit);
                CHECK(config.members.without_end == defaults.members.without_end);
                CHECK(config.held_seeds.largest_mib == defaults.held_seeds.largest_mib);
                CHECK(config.held_seeds.total_mib == defaults.held_seeds.total_mib);
                CHECK(config.ensemble.aggregation == defaults.ensemble.aggregation);
                CHECK(config.peers.empty());
                CHECK(!config.training.epochs);
            }
        }
    }
}

TEST_CASE("how numbers stand in tables is written where it was chosen, and left open where not") {
    const auto is_kept = [](const learning::CsvFormat& format) {
        auto chosen = choices(DataKind::csv);
        chosen.data.format = format;
        const auto parsed = parsed_back(chosen);
        CHECK(parsed.data.format.separator == format.separator);
        CHECK(parsed.data.format.decimal == format.decimal);
    };
    is_kept({});
    is_kept({'\t', ','});
    // One alone says nothing about the other.
    for (const char separator : learning::kSeparators)
        is_kept({separator, std::nullopt});
    for (const char decimal : learning::kDecimals)
        is_kept({std::nullopt, decimal});
}

TEST_CASE("quotes and backslashes survive, wherever they are") {
    auto chosen = choices(DataKind::csv);
    const std::string odd = R"(a "quoted" \ name\)";
    chosen.data_dir = "/srv/" + odd;
    chosen.control_socket = "/srv/'" + odd;
    chosen.data.path = "/srv/" + odd + ".csv";
    chosen.data.reference = "/srv/# " + odd;
    chosen.data.label = odd;
    chosen.data.classes = {odd, "\\n", "\"", "ä, [b]"};
    chosen.network_name = odd;
    CHECK(parsed_back(chosen).network_name == odd);
}

TEST_CASE("the keys that it shows commented out hold what is done without them") {
    const std::vector<std::pair<std::string, std::string>> models = {{"linear", "resnet:8x12+1"},
                                                                     {"mlp:64x32", "linear"},
                                                                     {"cnn:16x32", "cnn:8x16"},
                                                                     {"resnet:8x12+1", "mlp:32"}};
    for (const auto& pair : models) {
        const auto& main = pair.first;  // clang 14 cannot capture the names of a structured binding
        const auto& seed = pair.second;
        CAPTURE(main);
        CAPTURE(seed);
        auto chosen = choices(DataKind::csv);
        chosen.main_model = main;
        chosen.seed_model = seed;
        const auto parsed = config::parse_node_config(
            unlearn::testing::with_commented_keys(
                config::sample_config(chosen),
                {"listen", "epochs", "batch", "learning_rate", "weight_decay", "temperature"}),
            "node.toml");
        REQUIRE_MESSAGE(parsed, parsed.error().text());
        CHECK(parsed->listen == "tcp://*:7411");
        unlearn::testing::check_shows_defaults(parsed->training, parsed->distillation, main, seed);
    }
}

TEST_CASE("a model that its user trained has no training to be told about") {
    auto chosen = choices(DataKind::csv);
    chosen.torchscript = "/srv/mine.pt";
    const auto text = config::sample_config(chosen);
    CHECK(text.find("[training]") == std::string::npos);
    const auto parsed = config::parse_node_config(text, "node.toml");
    REQUIRE_MESSAGE(parsed, parsed.error().text());
    CHECK(parsed->model.torchscript == "/srv/mine.pt");
}

}  // namespace
