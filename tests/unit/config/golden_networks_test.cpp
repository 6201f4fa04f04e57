#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "node/config/node_data.hpp"
#include "protocol/identity.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/temporary_folder.hpp"

/// The vectors of tests/golden/networks.json: reference sets, their digests, how models see them, and the ids
/// of networks. A change here puts nodes into other networks than their peers.

namespace {

using namespace unlearn;
using namespace unlearn::testing;
using config::DataKind;
using nlohmann::json;

/// Text that the files of the vectors hold.
const std::string kTable =
    "height,label,Gr\xc3\xb6\xc3\x9f"
    "e,same\n0.1,cat,-2,7\n1.5,dog,1e3,7\n+3.25,cat,-0.0,7\n16777217,,0.30000001192092896,7\n";
const std::string kTableWithoutLabels = "x\n1\n2\n";

struct RefusedTable {
    std::string why;
    std::string text;
};
const std::vector<RefusedTable> kRefusedTables{
    {"a value is not finite", "x,y\n1,2\n3,nan\n"},
    {"a value is infinite", "x,y\n1,inf\n"},
    {"a value is beyond float32", "x,y\n1,1e39\n"},
    {"a value is beyond 10^19", "x,y\n1,1.1e19\n"},
    {"a value is not a number", "x,y\n1,0x10\n"},
    {"a value is missing", "x,y\n1,\n"},
    {"a row is too short", "x,y\n1,2\n3\n"},
    {"two columns have one name", "x,x\n1,2\n"},
    {"there are no rows", "x,y\n"},
};

std::string idx_of(const std::vector<std::uint8_t>& sizes) {
    std::string file{0, 0, 8, static_cast<char>(sizes.size())};
    std::size_t total = 1;
    for (const auto size : sizes) {
        file += {0, 0, 0, static_cast<char>(size)};
        total *= size;
    }
    for (std::size_t i = 0; i < total; ++i)
        file += static_cast<char>(i * 37 % 256);
    return file;
}

std::string hex_of_text(const std::string& text) {
    return to_hex(std::vector<std::uint8_t>(text.begin(), text.end()));
}

protocol::Result<learning::LabelledData> loaded(DataKind kind, const std::string& content) {
    const TemporaryFolder folder;
    config::DataConfig data;
    data.kind = kind;
    data.reference = folder.write("reference", content);
    return config::load_reference(data);
}

/// A reference set as a file, and all that follows from it.
json reference_vector(const std::string& name, DataKind kind, const std::string& content) {
    const auto data = loaded(kind, content);
    REQUIRE_MESSAGE(data, data.error().detail);
    auto seen = data->features;
    config::Scaling::of(kind, *data).apply_to_loaded(seen);
    json out{{"name", name},
             {"kind", kind == DataKind::csv ? "table" : "images"},
             {"file", hex_of_text(content)},
             {"shape", {data->shape.channels, data->shape.height, data->shape.width}},
             {"values", to_hex(data->features)},
             {"digest", to_hex(config::digest_of_examples(*data).view())},
             {"seen_by_models", to_hex(seen)}};
    if (kind == DataKind::csv) out["columns"] = data->columns;
    return out;
}

/// What a network's id is the hash of, made apart from the production code.
std::vector<std::uint8_t> description_of(const json& network, const json& reference) {
    const std::string name = network.contains("key") ? "key " + network["key"].get<std::string>()
                                                     : "name " + network["name"].get<std::string>();
    const auto digest = from_hex(reference["digest"].get<std::string>());
    json description{"unlearnd network 1",
                     name,
                     reference["shape"],
                     network["classes"],
                     reference["kind"] == "table" ? "standardised-by-reference" : "scale-1/255",
                     json::binary(digest)};
    if (network["columns_bound"] == true)
        description.push_back(json::array({json::array({1, reference["columns"]})}));
    return json::to_msgpack(description);
}

struct NetworkCase {
    std::string name;
    bool is_key = false;
    std::vector<std::string> classes;
    std::size_t reference = 0;
    config::BoundItems bound = config::BoundItems::all;
};

json network_vector(const NetworkCase& wanted, const json& reference, DataKind kind,
                    const std::string& content) {
    config::NodeConfig config;
    config.data.kind = kind;
    config.data.classes = wanted.classes;
    if (wanted.is_key)
        config.network_key = protocol::NodeId::from_text(wanted.name).value();
    else
        config.network_name = wanted.name;
    const auto id = config::network_of(config, loaded(kind, content).value(), wanted.bound);
    json out{{wanted.is_key ? "key" : "name", wanted.name},
             {"classes", wanted.classes},
             {"reference", reference["name"]},
             {"columns_bound", kind == DataKind::csv && wanted.bound == config::BoundItems::all},
             {"id", to_hex(id.view())}};
    const auto description = description_of(out, reference);
    CHECK(protocol::digest_of(description).value == id.value);
    out["description"] = to_hex(description);
    return out;
}

json make_vectors() {
    struct File {
        std::string name;
        DataKind kind;
        std::string content;
    };
    const std::vector<File> files{{"table", DataKind::csv, kTable},
                                  {"table without labels", DataKind::csv, kTableWithoutLabels},
                                  {"grey images", DataKind::idx, idx_of({3, 2, 2})},
                                  {"colours first", DataKind::idx, idx_of({2, 3, 2, 4})},
                                  {"colours last", DataKind::idx, idx_of({2, 2, 4, 3})}};
    const std::string key = protocol::Identity::from_seed({1}).id().text();
    const std::vector<std::string> classes{"cat", "dog"};
    const std::vector<NetworkCase> networks{{"home", false, classes, 0},
                                            {"home", false, classes, 0, config::BoundItems::values},
                                            {"home", false, {"dog", "cat"}, 0},
                                            {"home", false, classes, 1},
                                            {"home", false, classes, 2},
                                            {"home", false, classes, 3},
                                            {"home", false, classes, 4},
                                            {"home", false, {"K\xc3\xa4tzchen", "dog"}, 2},
                                            {key, true, classes, 0},
                                            {key, true, classes, 2},
                                            {key, false, classes, 2}};
    json out;
    for (const auto& file : files)
        out["reference_sets"].push_back(reference_vector(file.name, file.kind, file.content));
    for (const auto& network : networks) {
        const auto& file = files[network.reference];
        out["networks"].push_back(
            network_vector(network, out["reference_sets"][network.reference], file.kind, file.content));
    }
    for (const auto& table : kRefusedTables)
        out["refused_tables"].push_back({{"why", table.why}, {"file", hex_of_text(table.text)}});
    return out;
}

TEST_CASE("networks are what tests/golden/networks.json says, and no two of them are one") {
    const auto made = make_vectors();
    check_golden("networks.json", made);
    std::set<std::string> ids;
    for (const auto& network : made["networks"])
        ids.insert(network["id"]);
    CHECK(ids.size() == made["networks"].size());
}

TEST_CASE("the tables that tests/golden/networks.json calls refused are refused") {
    const auto golden = golden_vectors("networks.json");
    REQUIRE(golden["refused_tables"].size() == kRefusedTables.size());
    for (const auto& table : golden["refused_tables"]) {
        INFO(table["why"]);
        const auto bytes = from_hex(table["file"].get<std::string>());
        CHECK_FALSE(loaded(DataKind::csv, std::string(bytes.begin(), bytes.end())));
    }
}

}  // namespace
