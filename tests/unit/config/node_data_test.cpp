#include "node/config/node_data.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::testing;
using config::DataKind;

config::NodeConfig named(const std::string& name) {
    config::NodeConfig config;
    config.network_name = name;
    config.data.classes = {"a", "b"};
    return config;
}

learning::LabelledData table(std::vector<float> features, std::int64_t columns) {
    learning::LabelledData data;
    data.shape = {1, 1, columns};
    data.count = features.size() / static_cast<std::size_t>(columns);
    data.features = std::move(features);
    return data;
}

/// A network of two classes, whose examples are the rows of tables.
config::NodeConfig table_config() {
    config::NodeConfig config;
    config.network_name = "home";
    config.model.main = config.model.seed = learning::parse_architecture("linear").value();
    config.data.kind = DataKind::csv;
    config.data.classes = {"a", "b"};
    return config;
}

TEST_CASE("nodes are in one network only when all that must agree agrees") {
    const auto reference = table({1, 2, 3, 4}, 2);
    const auto home = config::network_of(named("home"), reference);
    CHECK(home == config::network_of(named("home"), reference));
    // What is a node's own does not matter.
    auto own = named("home");
    own.data.path = "/elsewhere";
    own.data.validation = 0.5;
    own.listen = "tcp://*:1";
    auto labelled = reference;
    labelled.labels = {1, 0};
    CHECK(home == config::network_of(own, labelled));

    CHECK(home != config::network_of(named("other"), reference));
    auto config = named("home");
    config.data.classes = {"b", "a"};
    CHECK(home != config::network_of(config, reference));
    config.data.classes = {"a", "b", "c"};
    CHECK(home != config::network_of(config, reference));
    config.data.classes = {"ab"};
    CHECK(home != config::network_of(config, reference));
    CHECK(home != config::network_of(named("home"), table({1, 2, 3, 5}, 2)));
    CHECK(home != config::network_of(named("home"), table({3, 4, 1, 2}, 2)));
    CHECK(home != config::network_of(named("home"), table({1, 2}, 2)));
    CHECK(home != config::network_of(named("home"), table({1, 2, 3, 4}, 1)));
    auto images = named("home");
    images.data.kind = DataKind::idx;
    CHECK(home != config::network_of(images, reference));

    auto keyed = named("");
    keyed.network_key = protocol::Identity::generate().id();
    auto other_key = named("");
    other_key.network_key = protocol::Identity::generate().id();
    CHECK(config::network_of(keyed, reference) != config::network_of(other_key, reference));
    CHECK(config::network_of(keyed, reference) == config::network_of(keyed, reference));
}

TEST_CASE("tables are read with the network's classes and scaled by the reference set") {
    const TemporaryFolder folder;
    config::DataConfig data;
    data.kind = DataKind::csv;
    data.path = folder.write("rows.csv", "x,label,y\n1,b,5\n3,b,5\n");
    data.reference = folder.write("reference.csv", "x,label,y\n0,a,7\n4,a,7\n");
    data.classes = {"a", "b"};
    auto reference = config::load_reference(data);
    REQUIRE_MESSAGE(reference, reference.error().text());
    auto own = config::load_own_data(data, *reference);
    REQUIRE_MESSAGE(own, own.error().text());
    CHECK(own->count == 2);
    CHECK(own->labels == std::vector<std::int64_t>{1, 1});
    CHECK(own->class_names == data.classes);

    const auto scaling = config::Scaling::of(DataKind::csv, *reference);
    auto raw = own->features;
    scaling.apply_to_loaded(own->features);
    CHECK(own->features == std::vector<float>{-0.5F, 0.0F, 0.5F, 0.0F});
    scaling.apply_to_raw(raw);
    CHECK(raw == own->features);
    scaling.apply_to_loaded(reference->features);
    CHECK(reference->features == std::vector<float>{-1.0F, 0.0F, 1.0F, 0.0F});
}

TEST_CASE("a node's own columns are matched with those of the reference set, which needs no labels") {
    const TemporaryFolder folder;
    config::NodeConfig config = table_config();
    config.data.reference = folder.write("reference.csv", "x,y\n0,7\n4,9\n");
    const auto load = [&](const std::string& text) {
        config.data.path = folder.write("rows.csv", text);
        return config::load_inputs(config);
    };
    const auto in_order = load("x,y,label\n1,5,b\n3,6,a\n");
    REQUIRE_MESSAGE(in_order, in_order.error().detail);
    CHECK(in_order->own.columns == std::vector<std::string>{"x", "y"});
    const auto other = load("y;label;x\n5;b;1\n6;a;3\n");
    REQUIRE_MESSAGE(other, other.error().detail);
    CHECK(other->own.features == in_order->own.features);
    CHECK(other->own.labels == in_order->own.labels);
    for (const auto& [text, complaint] :
         {std::pair("x,label\n1,a\n", "rows.csv:1: lacks column \"y\""),
          std::pair("x,z,label\n1,2,a\n", "rows.csv:1: has column \"z\""),
          std::pair("x,y,z,label\n1,2,3,a\n", "rows.csv:1: has column \"z\"")}) {
        const auto refused = load(text);
        REQUIRE_FALSE(refused);
        CHECK_MESSAGE(refused.error().detail.find(complaint) != std::string::npos, refused.error().detail);
        CHECK(refused.error().detail.find("reference.csv") != std::string::npos);
    }
}

TEST_CASE(
    "the decimal sign that the configuration names counts for the reference set and for the node's own") {
    const TemporaryFolder folder;
    config::NodeConfig config = table_config();
    config.data.reference = folder.write("reference.csv", "x;y\n1,234;2,345\n3,456;4,567\n");
    config.data.path = folder.write("rows.csv", "x;y;label\n1,234;2,345;a\n3,456;4,567;b\n");
    // Control: commas that may stand between thousands are no numbers until somebody decides.
    const auto undecided = config::load_inputs(config);
    REQUIRE_FALSE(undecided);
    CHECK_MESSAGE(undecided.error().detail.find("the comma may be the decimal sign") != std::string::npos,
                  undecided.error().detail);
    config.data.format.decimal = ',';
    const auto inputs = config::load_inputs(config);
    REQUIRE_MESSAGE(inputs, inputs.error().detail);
    const std::vector<float> expected{1.234F, 2.345F, 3.456F, 4.567F};
    CHECK(inputs->own.features == expected);
    CHECK(inputs->reference.features == expected);
}

TEST_CASE(
    "the names of columns and their order make a network, and networks from before stay what they are") {
    auto reference = table({1, 2, 3, 4}, 2);
    const auto config = named("home");
    const auto older = config::network_of(config, reference);
    reference.columns = {"x", "y"};
    const auto network = config::network_of(config, reference);
    CHECK(network != older);
    CHECK(config::network_of(config, reference, config::BoundItems::values) == older);
    reference.columns = {"y", "x"};
    CHECK(config::network_of(config, reference) != network);
    CHECK_FALSE(config::belongs_to(network, config, reference));
    CHECK(config::belongs_to(older, config, reference));
    reference.columns = {"x", "y"};
    CHECK(config::belongs_to(network, config, reference));
    CHECK_FALSE(config::belongs_to(network, named("work"), reference));
}

TEST_CASE("columns that are rarely meant are told with their file") {
    const TemporaryFolder folder;
    config::NodeConfig config = table_config();
    std::string text = ",x,label\n";
    for (int i = 0; i < 12; ++i)
        text += std::to_string(i) + "," + std::to_string(i % 5) + (i % 2 == 0 ? ",a\n" : ",b\n");
    config.data.path = folder.write("rows.csv", text);
    config.data.reference = folder.write("reference.csv", text);
    const auto inputs = config::load_inputs(config);
    REQUIRE_MESSAGE(inputs, inputs.error().detail);
    REQUIRE(inputs->warnings.size() == 2);
    CHECK(inputs->warnings[0].starts_with(config.data.path.string() + ": column number 1 has no name"));
    CHECK(inputs->warnings[1].starts_with(config.data.reference.string() + ": column number 1 has no name"));
}

TEST_CASE("pixels are divided by 255, once") {
    const auto scaling = config::Scaling::of(DataKind::idx, table({0.5F, 1.0F}, 2));
    std::vector<float> loaded{0.0F, 1.0F};
    scaling.apply_to_loaded(loaded);
    CHECK(loaded == std::vector<float>{0.0F, 1.0F});
    std::vector<float> raw{0.0F, 255.0F};
    scaling.apply_to_raw(raw);
    CHECK(raw == loaded);
}

TEST_CASE("data that cannot be read is one line that names the file") {
    const TemporaryFolder folder;
    config::DataConfig data;
    data.kind = DataKind::csv;
    data.classes = {"a", "b"};
    data.path = folder.path() / "none.csv";
    const auto missing = config::load_own_data(data, {});
    REQUIRE(!missing);
    CHECK(missing.error().detail.find("none.csv") != std::string::npos);
    data.path = folder.write("rows.csv", "x,label\n1,a\n2,cow\n");
    const auto unknown = config::load_own_data(data, {});
    REQUIRE(!unknown);
    CHECK(unknown.error().detail.find("rows.csv:3") != std::string::npos);
    CHECK(unknown.error().detail.find('\n') == std::string::npos);
    data.kind = DataKind::idx;
    data.images = data.labels = data.path;
    CHECK_FALSE(config::load_own_data(data, {}));
}

}  // namespace
