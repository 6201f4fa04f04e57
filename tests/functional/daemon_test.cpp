#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "protocol/identity.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/temporary_folder.hpp"

/// What happens to daemons beside exits: who is let in, whose seed is used, new data, wrong input.

namespace {

using namespace unlearn::testing;
using nlohmann::json;
namespace fs = std::filesystem;

TEST_CASE("a network key: a member is let in by whoever does not list it, others are not") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto key = (ground.path() / "fleet.key").string();
    const auto other_key = (ground.path() / "other.key").string();
    Device listed(ground.path(), "listed", free_port());
    Device member(ground.path(), "member", 0);
    Device stranger(ground.path(), "stranger", 0);
    write_data(listed.folder(), 1);
    REQUIRE(listed.ctl("network-key " + key).code == 0);
    REQUIRE(listed.ctl("network-key " + other_key).code == 0);
    for (auto* device : {&listed, &member, &stranger}) {
        write_data(device->folder(), 1);
        device->init(device->usual_options(), "--members exchange --network-key " + key);
    }
    // A stranger with the fleet's configuration and its own key, but a membership that somebody else signed.
    fs::remove_all(stranger.data_dir());
    for (const char* file : {"node.toml", "exit.sealed"})
        fs::remove(stranger.folder() / file);
    stranger.init(stranger.usual_options(), "--network-key " + other_key);
    {
        std::ifstream in(stranger.folder() / "node.toml");
        std::string text(std::istreambuf_iterator<char>(in), {});
        std::ifstream fleet(member.folder() / "node.toml");
        std::string fleet_text(std::istreambuf_iterator<char>(fleet), {});
        const auto key_line = [](const std::string& config) {
            const auto at = config.find("\nkey = ") + 1;
            return config.substr(at, config.find('\n', at) - at);
        };
        const auto own_line = key_line(text);
        text.replace(text.find(own_line), own_line.size(), key_line(fleet_text));
        std::ofstream(stranger.folder() / "node.toml") << text;
        const auto binding = json::parse(std::ifstream(member.data_dir() / "binding.json"));
        auto forged = json::parse(std::ifstream(stranger.data_dir() / "binding.json"));
        forged["network"] = binding["network"];
        std::ofstream(stranger.data_dir() / "binding.json") << forged;
    }
    for (auto* device : {&listed, &member, &stranger})
        device->start();
    for (auto* device : {&member, &stranger})
        static_cast<void>(device->ask("peers add " + listed.address()));
    CHECK(eventually([&] { return listed.seeds_in_use() == std::vector{member.id()}; }));
    CHECK(eventually([&] { return member.seeds_in_use() == std::vector{listed.id()}; }));
    CHECK(stranger.seeds_in_use().empty());
    CHECK(listed.ask("peers").size() == 1);
    CHECK(listed.ask("peers")[0]["source"] == "membership");
}

TEST_CASE(
    "a member that nobody lists exchanges no seeds, and one that is expelled is forgotten and may leave") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto key = (ground.path() / "fleet.key").string();
    Device holder(ground.path(), "holder", free_port());
    Device expelled(ground.path(), "expelled", free_port());
    Device unlisted(ground.path(), "unlisted", 0);
    REQUIRE(holder.ctl("network key " + key).code == 0);
    for (auto* device : {&holder, &expelled, &unlisted}) {
        write_data(device->folder(), 1);
        device->init(device->usual_options(), "--membership-days 30 --network-key " + key);
        device->start();
    }
    introduce(holder, expelled);
    static_cast<void>(unlisted.ask("peers add " + holder.address()));
    REQUIRE(eventually([&] { return holder.seeds_in_use() == std::vector{expelled.id()}; }));
    REQUIRE(eventually([&] { return expelled.seeds_in_use() == std::vector{holder.id()}; }));
    REQUIRE(eventually([&] { return !holder.ask("status")["peers"]["without_seeds"].empty(); }));
    const auto without = holder.ask("status")["peers"]["without_seeds"];
    CHECK(without[0]["id"] == unlisted.id());
    CHECK(without[0]["reason"].get<std::string>().find("exits only") != std::string::npos);
    CHECK(unlisted.seeds_in_use().empty());
    CHECK(holder.metric("peers_without_seeds") == 1);
    CHECK(holder.metric("expulsions_known") == 0);

    const auto expelling = holder.ctl("network expel " + expelled.id() + " --yes --key " + key);
    REQUIRE_MESSAGE(expelling.code == 0, expelling.err);
    CHECK(eventually([&] { return holder.seeds_in_use().empty(); }));
    CHECK(eventually([&] { return expelled.ask("network show")["expelled"] == true; }));
    CHECK(eventually([&] { return unlisted.log_entries("expelled") == 1; }));
    CHECK(holder.stop() == 0);
    holder.start();
    CHECK(eventually([&] { return holder.ask("status")["peers"]["up"] == 2; }));
    CHECK(holder.seeds_in_use().empty());
    CHECK(holder.ask("network show")["statements"].size() == 1);
    CHECK(holder.metric("expulsions_known") == 1);
    CHECK(expelled.ctl("exit --wait --yes --timeout 30").code == 0);
}

TEST_CASE("a seed that is worse than guessing is held aside and shown, and used once it is better") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(new_device(ground.path(), "holder", 1));
    auto wrong = std::make_unique<Device>(ground.path(), "wrong", free_port());
    write_wrong_data(wrong->folder(), 2);
    // Large enough to be reliably wrong.
    auto options = wrong->usual_options();
    options.front() = "--classes a,b,c,d --main mlp:64 --seed mlp:64";
    wrong->init(options);
    wrong->start();
    devices.push_back(std::move(wrong));
    introduce(*devices[0], *devices[1]);
    json seed;
    REQUIRE(eventually([&] {
        const auto status = devices[0]->ask("status");
        if (status["seeds"].empty()) return false;
        seed = status["seeds"][0];
        return seed["state"] != "checking";
    }));
    CHECK(seed["state"] == "held-aside");
    CHECK_FALSE(seed["detail"].get<std::string>().empty());
    CHECK(devices[0]->seeds_in_use().empty());
    write_data(devices[1]->folder(), 2);
    CHECK(eventually([&] { return all_have_seeds(devices); }));
}

TEST_CASE("what a user does wrong is one line and exit code 2, and the state stays") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Device device(ground.path(), "a", free_port());
    write_data(device.folder(), 1);
    device.init();
    const auto refused = [&] {
        fs::remove(device.folder() / "log");
        device.launch();
        CHECK(device.wait() == 2);
        const auto log = device.log();
        CHECK(std::count(log.begin(), log.end(), '\n') == 1);
        return log;
    };
    SUBCASE("no data") {
        fs::remove(device.folder() / "own.csv");
        CHECK(refused().find("own.csv") != std::string::npos);
    }
    SUBCASE("another reference set than the one it was bound to") {
        std::ofstream(ground.path() / "reference.csv", std::ios::app) << "0,0,a\n";
        CHECK(refused().find("bound") != std::string::npos);
    }
    SUBCASE("an unknown key") {
        std::ofstream(device.folder() / "node.toml", std::ios::app) << "[oops]\nx = 1\n";
        CHECK(refused().find("node.toml") != std::string::npos);
    }
    SUBCASE("a key file that others can read") {
        fs::permissions(device.data_dir() / "identity", fs::perms::group_read, fs::perm_options::add);
        CHECK(refused().find("identity") != std::string::npos);
    }
    fs::permissions(device.data_dir() / "identity", fs::perms::owner_read | fs::perms::owner_write);
}

TEST_CASE("a peer whose name is unknown is told in the log, once") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto device = new_device(ground.path(), "a", 1, false);
    const auto peer = unlearn::protocol::Identity::generate().id().text();
    static_cast<void>(device->ask("peers add " + peer + "@tcp://nowhere.invalid:7411"));
    const auto told = [&] {
        const auto log = device->log();
        std::size_t times = 0;
        for (auto at = log.find("peer-unresolved"); at != std::string::npos;
             at = log.find("peer-unresolved", at + 1))
            ++times;
        return times;
    };
    // A name server may take its time.
    REQUIRE(eventually([&] { return told() > 0; }, std::chrono::seconds(60)));
    CHECK(device->log().find(": nowhere.invalid: ") != std::string::npos);
    // It is looked up again some times within a second.
    CHECK_FALSE(eventually([&] { return told() > 1; }, std::chrono::seconds(1)));
}

TEST_CASE("new data: the daemon learns again and announces a new version by itself") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(new_device(ground.path(), "a", 1));
    devices.push_back(new_device(ground.path(), "b", 2));
    introduce(*devices[0], *devices[1]);
    REQUIRE(eventually([&] { return all_have_seeds(devices); }));
    const auto version_held = [&] { return devices[1]->ask("status")["seeds"][0]["version"]; };
    CHECK(version_held() == 1);
    write_data(devices[0]->folder(), 3);
    CHECK(eventually([&] { return version_held() == 2 && all_have_seeds(devices); }));
    CHECK(devices[0]->ask("publish --wait")["version"] == 3);
    CHECK(eventually([&] { return version_held() == 3; }));
    // A restart has nothing to learn and nothing to announce.
    CHECK(devices[0]->stop() == 0);
    devices[0]->start();
    CHECK(eventually([&] { return all_have_seeds(devices); }));
    CHECK(devices[0]->ask("status")["own_seed"]["version"] == 3);
}

}  // namespace
