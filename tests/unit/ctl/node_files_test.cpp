#include "node/ctl/node_files.hpp"

#include <fstream>
#include <iterator>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "node/storage/identity_file.hpp"
#include "protocol/records.hpp"
#include "support.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::ctl;
using namespace unlearn::protocol;
using nlohmann::json;

json read_json(const std::string& file) {
    std::ifstream in(file);
    return json::parse(in);
}

unsigned mode_of(const std::string& file) {
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

NewNode new_node(const TemporaryFolder& folder) {
    return {folder / "data",
            folder / "etc/node.toml",
            folder / "exit.sealed",
            "# configuration\n",
            network_id_of({"home", {1, 2, 2}, {"a", "b"}, "none", {}}),
            std::nullopt};
}

TEST_CASE("a new node has a key, a binding, a configuration and a sealed exit, private where they must be") {
    const TemporaryFolder folder;
    const auto node = new_node(folder);
    const auto id = make_node(node).value();
    CHECK(storage::load_identity(folder / "data/identity")->id() == id);
    CHECK(mode_of(folder / "data") == 0700);
    CHECK(mode_of(folder / "data/identity") == 0600);
    CHECK(mode_of(folder / "data/binding.json") == 0600);
    CHECK(mode_of(folder / "exit.sealed") == 0600);
    CHECK(mode_of(folder / "etc/node.toml") == 0644);
    CHECK(read_json(folder / "data/binding.json")["network"] == to_hex(node.network.view()));
    const auto verified = call({"verify", "--json", folder / "exit.sealed"});
    REQUIRE(verified.code == 0);
    CHECK(json::parse(verified.out)["owner"] == id.text());

    const auto config = folder.write(
        "c.toml", "data_dir = \"" + (folder / "data") + "\"\ncontrol_socket = \"" + (folder / "s") + "\"\n");
    CHECK(call({"id", "--config", config}).out == id.text() + "\n");
}

TEST_CASE("a strict umask hides the configuration from nobody") {
    const TemporaryFolder folder;
    const auto before = ::umask(077);
    const auto id = make_node(new_node(folder));
    ::umask(before);
    REQUIRE(id);
    CHECK(mode_of(folder / "etc/node.toml") == 0644);
    CHECK(mode_of(folder / "data/identity") == 0600);
}

TEST_CASE("init replaces nothing, and changes nothing when it refuses") {
    const TemporaryFolder folder;
    const auto node = new_node(folder);
    const auto id = make_node(node).value();
    for (const char* name : {"etc/node.toml", "exit.sealed", "data/binding.json", "data/identity"}) {
        const auto again = make_node(node);
        REQUIRE_FALSE(again);
        CHECK(again.error().code == ExitCode::bad_input);
        CHECK(again.error().message.find("exists") != std::string::npos);
        CHECK(storage::load_identity(folder / "data/identity")->id() == id);
        std::filesystem::remove(folder / name);
    }
    CHECK(make_node(node));
}

TEST_CASE("an init that fails half way leaves nothing behind") {
    const TemporaryFolder folder;
    auto node = new_node(folder);
    folder.write("etc", "a file where the folder of the configuration should be");
    const auto failed = make_node(node);
    REQUIRE_FALSE(failed);
    CHECK_FALSE(std::filesystem::exists(folder / "data"));
    CHECK_FALSE(std::filesystem::exists(folder / "exit.sealed"));
}

TEST_CASE("a network key signs the membership of a new node, also inside its sealed exit") {
    const TemporaryFolder folder;
    const auto made = call({"network-key", folder / "fleet.key"});
    REQUIRE(made.code == 0);
    const auto key = NodeId::from_text(made.out.substr(0, made.out.size() - 1)).value();
    CHECK(mode_of(folder / "fleet.key") == 0600);
    CHECK(call({"network-key", folder / "fleet.key"}).code == 1);

    auto node = new_node(folder);
    node.network_key = folder / "fleet.key";
    const auto id = make_node(node).value();
    const auto binding = read_json(folder / "data/binding.json");
    const SignedBytes membership{
        from_hex(binding["membership"]["bytes"].get<std::string>()).value(),
        Signature::from(from_hex(binding["membership"]["signature"].get<std::string>()).value()).value()};
    CHECK(verify_membership(key, node.network, membership)->member == id);
    auto other = node.network;
    other.value[0] ^= 1U;
    CHECK_FALSE(verify_membership(key, other, membership));
}

TEST_CASE("a missing network key is one line, and nothing is made") {
    const TemporaryFolder folder;
    auto node = new_node(folder);
    node.network_key = folder / "none.key";
    const auto failed = make_node(node);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ExitCode::bad_input);
    CHECK_FALSE(std::filesystem::exists(folder / "data"));
}

}  // namespace
