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
    auto own = config::load_own_data(data);
    REQUIRE_MESSAGE(own, own.error().text());
    CHECK(own->count == 2);
    CHECK(own->labels == std::vector<std::int64_t>{1, 1});
    CHECK(own->class_names == data.classes);
    auto reference = config::load_reference(data);
    REQUIRE_MESSAGE(reference, reference.error().text());

    const auto scaling = config::Scaling::of(DataKind::csv, *reference);
    auto raw = own->features;
    scaling.apply_to_loaded(own->features);
    CHECK(own->features == std::vector<float>{-0.5F, 0.0F, 0.5F, 0.0F});
    scaling.apply_to_raw(raw);
    CHECK(raw == own->features);
    scaling.apply_to_loaded(reference->features);
    CHECK(reference->features == std::vector<float>{-1.0F, 0.0F, 1.0F, 0.0F});
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
    const auto missing = config::load_own_data(data);
    REQUIRE(!missing);
    CHECK(missing.error().detail.find("none.csv") != std::string::npos);
    data.path = folder.write("rows.csv", "x,label\n1,a\n2,cow\n");
    const auto unknown = config::load_own_data(data);
    REQUIRE(!unknown);
    CHECK(unknown.error().detail.find("rows.csv:3") != std::string::npos);
    CHECK(unknown.error().detail.find('\n') == std::string::npos);
    data.kind = DataKind::idx;
    data.images = data.labels = data.path;
    CHECK_FALSE(config::load_own_data(data));
}

}  // namespace
