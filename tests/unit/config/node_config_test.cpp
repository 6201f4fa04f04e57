#include "node/config/node_config.hpp"

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::testing;
using config::NodeConfig;

/// A configuration whose lines tests replace; the numbers are those of the lines.
struct Text {
    std::string top;                                    // 1
    std::string network = "name = \"home\"";            // 3
    std::string kind = "kind = \"csv\"";                // 5
    std::string path = "path = \"rows.csv\"";           // 6
    std::string reference = "reference = \"ref.csv\"";  // 7
    std::string classes = "classes = [\"a\", \"b\"]";   // 8
    std::string data;                                   // 9
    std::string rest;                                   // 10

    [[nodiscard]] std::string text() const {
        return top + "\n[network]\n" + network + "\n[data]\n" + kind + "\n" + path + "\n" + reference + "\n" +
               classes + "\n" + data + "\n" + rest + "\n";
    }
};

NodeConfig parse(const std::string& text) {
    auto parsed = config::parse_node_config(text, "/etc/unlearnd/node.toml");
    REQUIRE_MESSAGE(parsed, parsed.error().text());
    return std::move(*parsed);
}

NodeConfig parse(const Text& text) {
    return parse(text.text());
}

/// What is said after the file's name.
std::string complaint(const std::string& text) {
    INFO(text);
    const auto parsed = config::parse_node_config(text, "/etc/unlearnd/node.toml");
    REQUIRE(!parsed);
    CHECK(parsed.error().code == protocol::ErrorCode::malformed);
    const auto& detail = parsed.error().detail;
    CHECK(detail.find('\n') == std::string::npos);
    CHECK(detail.starts_with("/etc/unlearnd/node.toml:"));
    return detail.substr(std::string_view("/etc/unlearnd/node.toml:").size());
}

const std::string& peer() {
    static const std::string kId = protocol::Identity::generate().id().text();
    return kId;
}

TEST_CASE("every key of a good configuration arrives") {
    const auto other = protocol::Identity::generate().id();
    Text text;
    text.top =
        "data_dir = \"/data\"\ncontrol_socket = \"../run/s\"\nlisten = \"tcp://*:7411\"\n"
        "log_level = \"debug\"\nlog_entries = 5000";
    text.data = "label = \"class\"\nvalidation = 0.25\nwatch = \"no\"";
    text.rest =
        "[model]\nmain = \"mlp:64x32\"\nseed = \"linear\"\n"
        "[training]\nepochs = 3\nbatch = 16\nlearning_rate = 0.5\nweight_decay = 0\n"
        "[distillation]\nepochs = 4\nbatch = 8\nlearning_rate = 1\ntemperature = 2.5\n"
        "[ensemble]\naggregation = \"median\"\nrho = 0.25\ncalibrated = true\nweighted = false\n"
        "[held_seeds]\nlargest_mib = 3\ntotal_mib = 32\n"
        "[[peers]]\naddress = \"" +
        peer() + "@tcp://host:1\"\n[[peers]]\nid = \"" + other.text() + "\"";
    const auto config = parse(text);
    CHECK(config.file == "/etc/unlearnd/node.toml");
    CHECK(config.data_dir == "/data");
    CHECK(config.control_socket == "/etc/run/s");
    CHECK(config.listen == "tcp://*:7411");
    CHECK(config.log_level == "debug");
    CHECK(config.log_entries == 5000);
    CHECK(config.network_name == "home");
    CHECK(config.min_wire == 1);
    CHECK(!config.network_key);
    CHECK(config.data.kind == config::DataKind::csv);
    CHECK(config.data.path == "/etc/unlearnd/rows.csv");
    CHECK(config.data.reference == "/etc/unlearnd/ref.csv");
    CHECK(config.data.classes == std::vector<std::string>{"a", "b"});
    CHECK(config.data.label == "class");
    CHECK(config.data.validation == 0.25);
    CHECK(!config.data.watch);
    CHECK(config.model.main.text() == "mlp:64x32");
    CHECK(config.model.seed.text() == "linear");
    CHECK(config.training.epochs == 3);
    CHECK(config.training.batch == 16);
    CHECK(config.training.learning_rate == 0.5);
    CHECK(config.training.weight_decay == 0.0);
    CHECK(config.distillation.epochs == 4);
    CHECK(config.distillation.batch == 8);
    CHECK(config.distillation.learning_rate == 1.0);
    CHECK(config.distillation.temperature == 2.5);
    CHECK(config.ensemble.aggregation == learning::Aggregation::median);
    CHECK(config.ensemble.fixed_rho == 0.25);
    CHECK(config.ensemble.calibrated == true);
    CHECK(config.ensemble.weighted == false);
    CHECK(config.held_seeds.largest_mib == 3);
    CHECK(config.held_seeds.room().share == 3U << 20U);
    CHECK(config.held_seeds.room().places == 10);
    REQUIRE(config.peers.size() == 2);
    CHECK(config.peers[0].id.text() == peer());
    CHECK(config.peers[0].endpoint == "tcp://host:1");
    CHECK(config.peers[1].id == other);
    CHECK(!config.peers[1].endpoint);
}

TEST_CASE("what is left out has its default") {
    const auto config = parse(Text{});
    CHECK(config.data_dir == "/var/lib/unlearnd");
    CHECK(config.control_socket == "/run/unlearnd/control.sock");
    CHECK(!config.listen);
    CHECK(config.log_level == "info");
    CHECK(config.log_entries == 100'000);
    CHECK(config.data.label == "label");
    CHECK(config.data.validation == 0.1);
    CHECK(config.data.watch);
    CHECK(config.model.main.text() == "mlp:100");
    CHECK(config.model.seed.text() == "mlp:32");
    CHECK(!config.training.epochs);
    CHECK(!config.distillation.temperature);
    CHECK(config.ensemble.aggregation == learning::Aggregation::known_classes);
    CHECK(config.ensemble.is_calibrated());
    CHECK(config.ensemble.is_weighted());
    CHECK(!config.ensemble.fixed_rho);
    CHECK(config.peers.empty());
    CHECK(config.members.policy == protocol::MemberPolicy::exits_only);
    CHECK(config.members.limit == 64);
    CHECK(config.members.without_end);
    CHECK(config.held_seeds.room().share == 2U << 20U);
    CHECK(config.held_seeds.room().places == 64);
}

TEST_CASE("how members that let themselves in are treated") {
    Text text;
    text.network = "key = \"" + peer() +
                   "\"\nmembers = \"exchange\"\nmembers_limit = 5\n"
                   "endless_memberships = \"no\"";
    const auto config = parse(text);
    CHECK(config.members.policy == protocol::MemberPolicy::exchange);
    CHECK(config.members.limit == 5);
    CHECK_FALSE(config.members.without_end);
}

TEST_CASE("images and a network key") {
    Text text;
    text.network = "key = \"" + peer() + "\"";
    text.kind = "kind = \"idx\"";
    text.path = "images = \"i.gz\"\nlabels = \"l.gz\"";
    const auto config = parse(text);
    REQUIRE(config.network_key);
    CHECK(config.network_key->text() == peer());
    CHECK(config.network_name.empty());
    CHECK(config.data.kind == config::DataKind::idx);
    CHECK(config.data.images == "/etc/unlearnd/i.gz");
    CHECK(config.data.labels == "/etc/unlearnd/l.gz");
}

TEST_CASE("each wrong value is told with its line and key") {
    struct Case {
        std::string Text::*place;
        std::string line;
        std::string begins;  ///< LINE: KEY
        std::string contains;
    };
    const std::string damaged_id = peer().substr(0, 10) + (peer()[10] == 'a' ? "b" : "a") + peer().substr(11);
    const std::vector<Case> cases{
        {&Text::top, "data_dir = 5", "1: data_dir ", "text in quotes"},
        {&Text::top, "data_dir = \"\"", "1: data_dir ", "not empty"},
        {&Text::top, "control_socket = [\"x\"]", "1: control_socket ", "is a list"},
        {&Text::top, "listen = \"*:7411\"", "1: listen ", "tcp://HOST:PORT"},
        {&Text::top, "listen = 7411", "1: listen ", "text in quotes"},
        {&Text::top, "log_level = \"warn\"", "1: log_level ", "\"warning\""},
        {&Text::top, "log_entries = 999", "1: log_entries ", "1000"},
        {&Text::network, "", "2: network.name ", "network.key must be given, and not both"},
        {&Text::network, "name = 5", "3: network.name ", "text in quotes"},
        {&Text::network, "key = \"home\"", "3: network.key ", "is not a network key"},
        {&Text::network, "name = \"home\"\nmin_wire = 3", "4: network.min_wire ", "1 to 2"},
        {&Text::network, "key = 5", "3: network.key ", "text in quotes"},
        {&Text::network, "name = \"home\"\nmembers = \"exchange\"", "4: network.members ",
         "network with a key"},
        {&Text::network, "key = \"" + peer() + "\"\nmembers = \"all\"", "4: network.members ",
         "\"exits-only\", \"exchange\""},
        {&Text::network, "key = \"" + peer() + "\"\nmembers_limit = 5000", "4: network.members_limit ",
         "from 0 to 4096"},
        {&Text::network, "key = \"" + peer() + "\"\nendless_memberships = 1",
         "4: network.endless_memberships ", "\"no\", \"yes\""},
        {&Text::rest, "[held_seeds]\nlargest_mib = 17", "11: held_seeds.largest_mib ", "from 1 to 16"},
        {&Text::rest, "[held_seeds]\ntotal_mib = 1", "11: held_seeds.total_mib ", "at least largest_mib"},
        {&Text::kind, "kind = true", "data.kind ", "\"idx\", \"csv\""},
        {&Text::kind, "kind = \"xdi\"", "5: data.kind ", "\"idx\", \"csv\""},
        {&Text::kind, "", "4: data.kind ", "is missing"},
        {&Text::path, "", "4: data.path ", "is missing"},
        {&Text::path, "path = 1979-05-27", "6: data.path ", "is a date or a time"},
        {&Text::reference, "", "4: data.reference ", "is missing"},
        {&Text::classes, "", "4: data.classes ", "is missing"},
        {&Text::classes, "classes = \"a\"", "8: data.classes ", "a list of texts"},
        {&Text::classes, "classes = []", "8: data.classes ", "is an empty list"},
        {&Text::classes, "classes = [\"a\"]", "8: data.classes ", "at least two"},
        {&Text::classes, "classes = [\"a\", 2]", "8: data.classes ", "has an element"},
        {&Text::classes, "classes = [\"a\", \"\"]", "8: data.classes ", "has an element"},
        {&Text::classes, "classes = [\"a\", \"b\", \"a\"]", "8: data.classes ", "a class twice"},
        {&Text::data, "label = 5", "9: data.label ", "text in quotes"},
        {&Text::data, "validation = 0", "9: data.validation ", "above 0, up to 0.5"},
        {&Text::data, "validation = 0.51", "9: data.validation ", "above 0, up to 0.5"},
        {&Text::data, "validation = nan", "9: data.validation ", "above 0, up to 0.5"},
        {&Text::data, "validation = \"0.1\"", "9: data.validation ", "a number"},
        {&Text::data, "watch = 1", "9: data.watch ", "\"no\", \"yes\""},
        {&Text::data, "separator = \":\"", "9: data.separator ", "\",\", \";\", \"tab\", \"|\""},
        {&Text::data, "decimal = \"'\"", "9: data.decimal ", "\".\", \",\""},
        {&Text::classes, "classses = [\"a\", \"b\"]", "8: unknown key 'data.classses'",
         "did you mean 'data.classes'?"},
        {&Text::reference, "refrence = \"r.csv\"", "7: unknown key 'data.refrence'",
         "did you mean 'data.reference'?"},
        {&Text::top, "listen = \"tcp://*:99999\"", "1: listen = 'tcp://*:99999' is not an address",
         "to 65535"},
        {&Text::top, "listen = \"tcp://*\"", "1: listen ", "the port is missing"},
        {&Text::top, "listen = \"tcp://::1:7411\"", "1: listen ", "in brackets"},
        {&Text::top, "control_socket = \"/" + std::string(107, 's') + "\"", "1: control_socket ",
         "has 108 bytes; the path of a socket has 107 at most"},
        {&Text::rest, "[training]\nepochs = 1e3000", "11: ", ""},
        {&Text::rest, "[training]\nepochs = 300.5", "11: training.epochs = 300.5", "a whole number"},
        {&Text::rest, "[[peers]]\naddress = \"" + peer() + "@tcp://host:70000\"", "11: peers.address ",
         "from 1 to 65535"},
        {&Text::rest, "[model]\nmain = \"mlp:0\"", "11: model.main ", ""},
        {&Text::rest, "[model]\nseed = \"gpt\"", "11: model.seed ", ""},
        {&Text::rest, "[model]\nseed = 5", "11: model.seed ", "text in quotes"},
        {&Text::rest, "[training]\nepochs = 0", "11: training.epochs ", "a whole number from 1"},
        {&Text::rest, "[training]\nepochs = 1.5", "11: training.epochs ", "a whole number from 1"},
        {&Text::rest, "[training]\nbatch = -1", "11: training.batch ", "a whole number from 1"},
        {&Text::rest, "[training]\nlearning_rate = 0.0", "11: training.learning_rate ", "above 0"},
        {&Text::rest, "[training]\nweight_decay = 2", "11: training.weight_decay ", "from 0 to 1"},
        {&Text::rest, "[training]\ntemperature = 2", "11: unknown key 'training.temperature'", ""},
        {&Text::rest, "[distillation]\ntemperature = inf", "11: distillation.temperature ", "above 0"},
        {&Text::rest, "[distillation]\nweight_decay = 0", "11: unknown key 'distillation.weight_decay'", ""},
        {&Text::rest, "[ensemble]\naggregation = \"mean\"", "11: ensemble.aggregation ", "\"hdus\""},
        {&Text::rest, "[ensemble]\nrho = 1.5", "11: ensemble.rho ", "from 0 to 1"},
        {&Text::rest, "[ensemble]\nweighted = \"yes\"", "11: ensemble.weighted ", "true or false"},
        {&Text::rest, "[[peers]]", "10: peers.address ", "or id must be given"},
        {&Text::rest, "[[peers]]\naddress = \"tcp://host:1\"", "11: peers.address ", ""},
        {&Text::rest, "[[peers]]\naddress = \"" + damaged_id + "@tcp://host:1\"", "11: peers.address ", ""},
        {&Text::rest, "[[peers]]\nid = \"" + damaged_id + "\"", "11: peers.id ", ""},
        {&Text::rest, "[[peers]]\nid = 5", "11: peers.id ", "text in quotes"},
        {&Text::rest, "[[peers]]\nid = \"" + peer() + "\"\n[[peers]]\nid = \"" + peer() + "\"",
         "13: peers.id ", "for the second time"},
        {&Text::rest, "[model]\nmain = \"mlp:5\"\ntorchscript = \"x.pt\"", "12: model.torchscript ",
         "exclude"},
        {&Text::rest, "[peers]\nid = \"x\"", "10: peers ", "[[peers]]"},
        {&Text::top, "model = \"mlp:5\"", "1: model ", "a section, [model]"},
        {&Text::top, "data_dirs = \"/x\"", "1: unknown key 'data_dirs'", "did you mean 'data_dir'?"},
        {&Text::data, "lable = \"x\"", "9: unknown key 'data.lable'", "did you mean 'data.label'?"},
        {&Text::data, "images = \"x\"", "9: unknown key 'data.images'", ""},
        {&Text::rest, "[trainning]\nepochs = 1", "10: unknown section 'trainning'", "'training'?"},
        {&Text::rest, "[[peers]]\nid = \"" + peer() + "\"\nport = 1", "12: unknown key 'peers.port'", ""},
        {&Text::network, "name = \"a\"\nnane = \"b\"", "4: unknown key 'network.nane'", "'network.name'?"},
        {&Text::top, "listen = tcp", "1: not TOML: ", ""},
        {&Text::data, "path = \"again\"", "9: not TOML: ", ""},
    };
    REQUIRE(config::parse_node_config(Text{}.text(), "f"));
    for (const auto& [place, line, begins, contains] : cases) {
        Text text;
        text.*place = line;
        const auto told = complaint(text.text());
        if (begins[0] >= '0' && begins[0] <= '9')
            CHECK_MESSAGE(told.starts_with(begins), told);
        else
            CHECK_MESSAGE(told.find(begins) != std::string::npos, told);
        CHECK_MESSAGE(told.find(contains) != std::string::npos, told);
    }
}

TEST_CASE("two keys that exclude each other are told") {
    Text both;
    both.network = "name = \"home\"\nkey = \"" + peer() + "\"";
    CHECK(complaint(both.text()).find("and not both") != std::string::npos);
    Text address;
    address.rest = "[[peers]]\naddress = \"" + peer() + "@tcp://host:1\"\nid = \"" + peer() + "\"";
    CHECK(complaint(address.text()).find("and not both") != std::string::npos);
    address.rest = "[[peers]]\nid = \"" + peer() + "\"\naddress = \"" + peer() + "@tcp://host:1\"";
    CHECK(complaint(address.text()).find("and not both") != std::string::npos);
}

TEST_CASE("the complaint nearest to the file's beginning comes first") {
    Text text;
    text.rest = "[training]\nepochs = 0";
    text.top = "log_level = \"loud\"";
    CHECK(complaint(text.text()).starts_with("1: log_level"));
}

TEST_CASE("an empty file names what is missing") {
    const auto told = complaint("");
    CHECK_MESSAGE(told.find("network.name") != std::string::npos, told);
}

TEST_CASE("files are read, and what is none is refused") {
    const TemporaryFolder folder;
    const auto file = folder.write("node.toml", Text{}.text());
    const auto loaded = config::load_node_config(file);
    REQUIRE_MESSAGE(loaded, loaded.error().text());
    CHECK(loaded->data.path == folder.path() / "rows.csv");

    const auto refused = [](const std::filesystem::path& path) {
        const auto result = config::load_node_config(path);
        REQUIRE(!result);
        CHECK(result.error().detail.starts_with(path.string() + ":"));
        CHECK(result.error().detail.find('\n') == std::string::npos);
        return result.error().detail;
    };
    CHECK(refused(folder.path() / "none").find("no such file") != std::string::npos);
    CHECK(refused(folder.path()).find("is not a configuration file") != std::string::npos);
    CHECK(refused("/dev/zero").find("is not a configuration file") != std::string::npos);
    CHECK(refused(folder.write("large", std::string(2 << 20, '#'))).find("is not a configuration file") !=
          std::string::npos);
    CHECK(refused(folder.write("binary", std::string("\xff\xfe\0\n\n", 5))).find("not TOML") !=
          std::string::npos);
}

TEST_CASE("what other programs write for a number, a choice or an address is understood") {
    Text text;
    text.top = "listen = \"tcp://[::]:07411\"\ncontrol_socket = \"/" + std::string(106, 's') + "\"";
    text.data = "watch = false\nseparator = \"tab\"\ndecimal = \",\"";
    text.rest =
        "[training]\nepochs = 300.0\n[[peers]]\naddress = \"" + peer() + "@tcp://[fe80::1%eth0]:7411\"";
    const auto config = parse(text);
    CHECK(config.listen == "tcp://[::]:7411");
    CHECK_FALSE(config.data.watch);
    CHECK(config.data.format.separator == '\t');
    CHECK(config.data.format.decimal == ',');
    CHECK(config.training.epochs == 300);
    CHECK(config.peers.at(0).endpoint == "tcp://[fe80::1%eth0]:7411");
}

}  // namespace
