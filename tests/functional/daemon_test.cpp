#include <algorithm>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "node/learning/data/idx.hpp"
#include "replayed_peer.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/process_memory.hpp"

/// The life of a fleet, through the public commands: join, predict, leave in the middle of crashes.

namespace {

using namespace unlearn::testing;
using nlohmann::json;
namespace fs = std::filesystem;

using Devices = std::vector<std::unique_ptr<Device>>;

std::unique_ptr<Device> new_device(const Playground& ground, const std::string& name, unsigned seed,
                                   bool dialled = true) {
    auto device = std::make_unique<Device>(ground.path(), name, dialled ? free_port() : 0);
    write_data(device->folder(), seed);
    device->init();
    device->start();
    return device;
}

std::vector<std::string> ids_without(const Devices& devices, const std::vector<const Device*>& excluded) {
    std::vector<std::string> out;
    for (const auto& device : devices)
        if (std::find(excluded.begin(), excluded.end(), device.get()) == excluded.end())
            out.push_back(device->id());
    std::sort(out.begin(), out.end());
    return out;
}

/// Every running device uses exactly the seeds of the others that have not left.
bool all_have_seeds(const Devices& devices, const std::vector<const Device*>& left) {
    return std::all_of(devices.begin(), devices.end(), [&](const auto& device) {
        auto without = left;
        without.push_back(device.get());
        return !device->running() || device->seeds_in_use() == ids_without(devices, without);
    });
}

std::vector<std::string> owners_in(const json& prediction) {
    std::vector<std::string> out;
    for (const auto& participant : prediction["participants"])
        out.push_back(participant["owner"]);
    std::sort(out.begin(), out.end());
    return out;
}

std::size_t entries(const Device& device, const std::string& kind) {
    const auto log = device.ask("log -n 0");
    return static_cast<std::size_t>(
        std::count_if(log.begin(), log.end(), [&](const json& entry) { return entry["kind"] == kind; }));
}

TEST_CASE("five daemons: joins, exits through crashes, a missed exit, replay, restored backup, power cut") {
    const Playground ground;
    write_reference(ground.path());
    Devices devices;
    for (unsigned i = 0; i < 5; ++i)
        devices.push_back(new_device(ground, std::string(1, static_cast<char>('a' + i)), i));
    for (std::size_t i = 0; i < devices.size(); ++i)
        for (std::size_t j = i + 1; j < devices.size(); ++j)
            introduce(*devices[i], *devices[j]);
    REQUIRE(eventually([&] { return all_have_seeds(devices, {}); }));
    Device& a = *devices[0];
    Device& b = *devices[1];
    Device& c = *devices[2];
    Device& d = *devices[3];

    std::ofstream(ground.path() / "rows.csv") << "x,y\n-1,-90\n1,-110\n-0.9,104\n1.2,88\n";
    const std::string predict = "predict --prior uniform " + (ground.path() / "rows.csv").string();
    const auto before = d.ask(predict);
    CHECK(before["labels"] == json{0, 1, 2, 3});
    CHECK(owners_in(before) == ids_without(devices, {&d}));

    // The device is copied while it is a member: as a backup, and as a disk that somebody kept.
    CHECK(a.ctl("backup " + (ground.path() / "a.backup").string()).code == 0);
    const ReplayedPeer old_announcement(a.data_dir());

    // One misses the exit; the owner is killed in the middle of it, and goes on by itself.
    REQUIRE(c.stop() == 0);
    CHECK(a.ask("exit --yes")["begun"] == true);
    REQUIRE(eventually([&] { return a.ask("exit --yes")["erased"] == 3; }));
    a.kill();
    a.start();
    CHECK(a.ask("status")["state"] == "exiting");
    const auto waiting = a.ask("exit --yes");
    CHECK(waiting["complete"] == false);
    CHECK(waiting["missing"] == 1);
    CHECK(a.ctl("exit --yes --wait --timeout 1").code == 5);
    for (const auto* holder : {&b, &d})
        CHECK_FALSE(owners_in(holder->ask(predict)).empty());
    CHECK(owners_in(d.ask(predict)) == ids_without(devices, {&a, &d}));

    c.start();
    REQUIRE(eventually([&] { return !a.running() || a.wait(std::chrono::seconds(0)) == 0; }));
    CHECK(eventually([&] { return all_have_seeds(devices, {&a}); }));
    const auto certificate = (a.data_dir() / "certificate.json").string();
    CHECK(b.ask("verify " + certificate)["complete"] == true);
    CHECK(a.ask("certificate")["holders"].size() == 4);

    // Never again: neither the identity, nor its old announcement, nor its backup.
    a.launch();
    CHECK(a.wait() == 6);
    const auto installed = entries(b, "seed_installed");
    CHECK(old_announcement.announce_to(b.address()) == Reaction::shown_the_exit);
    CHECK(old_announcement.announce_to(d.address()) == Reaction::shown_the_exit);
    CHECK(entries(b, "seed_installed") == installed);
    CHECK(all_have_seeds(devices, {&a}));

    Device restored(ground.path(), "restored", free_port());
    {
        std::ifstream config(a.folder() / "node.toml");
        std::string text(std::istreambuf_iterator<char>(config), {});
        const auto replace = [&](const std::string& from, const std::string& to) {
            for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
                text.replace(at, from.size(), to);
        };
        replace((ground.path() / "a" / "data").string(), restored.data_dir().string());
        replace((ground.path() / "a" / "socket").string(), (restored.folder() / "socket").string());
        replace(std::to_string(a.port()), std::to_string(restored.port()));
        std::ofstream(restored.folder() / "node.toml") << text;
    }
    const auto put_back = restored.ctl("restore --data " + restored.data_dir().string() + " " +
                                       (ground.path() / "a.backup").string());
    REQUIRE_MESSAGE(put_back.code == 0, put_back.err);
    restored.launch();
    // It is at a new address: where its neighbours would dial it, it dials them after a while.
    CHECK_MESSAGE(restored.wait(std::chrono::seconds(60)) == 6, restored.log());
    CHECK(all_have_seeds(devices, {&a}));

    // A second one leaves.
    const auto left = b.ask("exit --yes --wait --timeout 20");
    CHECK(left["complete"] == true);
    CHECK(left["erased"] == 3);
    CHECK(left["left"] == 1);
    CHECK(b.wait() == 0);
    CHECK(eventually([&] { return all_have_seeds(devices, {&a, &b}); }));
    const auto calm = d.ask(predict);

    // A power cut of all: nobody is there whom one could ask about exits, and all come back by themselves.
    for (auto& device : devices)
        if (device->running()) device->kill();
    for (std::size_t i = 2; i < devices.size(); ++i)
        devices[i]->start();
    CHECK(eventually([&] { return all_have_seeds(devices, {&a, &b}); }));
    CHECK(d.ask(predict) == calm);
    for (std::size_t i = 2; i < devices.size(); ++i) {
        CHECK(devices[i]->ask("status")["exits_known"] == 2);
        CHECK(devices[i]->ask("log --verify")["ok"] == true);
        CHECK(devices[i]->stop() == 0);
    }
}

TEST_CASE("two daemons of which only one can be dialled") {
    const Playground ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(new_device(ground, "dialled", 1));
    devices.push_back(new_device(ground, "behind-nat", 2, false));
    Device& dialled = *devices[0];
    Device& behind = *devices[1];
    introduce(dialled, behind);
    REQUIRE(eventually([&] { return all_have_seeds(devices, {}); }));

    for (auto& device : devices)
        device->kill();
    for (auto& device : devices)
        device->start();
    CHECK(eventually([&] { return all_have_seeds(devices, {}); }));

    SUBCASE("the one that only dials leaves") {
        CHECK(behind.ask("exit --yes --wait --timeout 20")["erased"] == 1);
        CHECK(behind.wait() == 0);
        CHECK(dialled.seeds_in_use().empty());
    }
    SUBCASE("the one that is dialled leaves while the other is away") {
        behind.kill();
        CHECK(dialled.ask("exit --yes")["complete"] == false);
        behind.start();
        CHECK(dialled.wait() == 0);
        CHECK(eventually([&] { return behind.seeds_in_use().empty(); }));
        CHECK(behind.ask("verify " + (dialled.data_dir() / "certificate.json").string())["complete"] == true);
    }
    SUBCASE("the holder never comes back, and the owner gives up") {
        behind.kill();
        CHECK(dialled.ask("exit --yes")["complete"] == false);
        const auto given_up = dialled.ask("exit --yes --give-up");
        CHECK(given_up["missing"] == 1);
        CHECK(dialled.wait() == 0);
        const auto verified = dialled.ask("verify " + (dialled.data_dir() / "certificate.json").string());
        CHECK(verified["complete"] == false);
    }
    SUBCASE("a lost device leaves by its sealed exit") {
        behind.kill();
        static_cast<void>(dialled.ask("exit --yes --sealed " + (behind.folder() / "exit.sealed").string()));
        CHECK(eventually([&] { return dialled.seeds_in_use().empty(); }));
        behind.launch();
        CHECK(behind.wait() == 6);
    }
}

TEST_CASE("a network key: a member is let in by whoever does not list it, others are not") {
    const Playground ground;
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
        device->init(device->usual_options(), "--network-key " + key);
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

TEST_CASE("a seed that is worse than guessing is held aside and shown, and used once it is better") {
    const Playground ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(new_device(ground, "holder", 1));
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
    CHECK(eventually([&] { return all_have_seeds(devices, {}); }));
}

TEST_CASE(
    "after an exit no 64 bytes of the seed are left at the holder, on disk or in the memory of unlearnd") {
    if (::geteuid() != 0) {
        MESSAGE("skipped: only root may look into the memory of unlearnd");
        return;
    }
    // Images, and many at once: BLAS packs weights of this size into buffers of its own.
    const auto data = unlearn::learning::load_idx_folder("/usr/share/datasets/fashion-mnist");
    REQUIRE_MESSAGE(data.has_value(), data.error().message);
    const Playground ground;
    const auto rows_from = [](std::size_t first) {
        std::vector<std::size_t> rows(800);
        std::iota(rows.begin(), rows.end(), first);
        return rows;
    };
    write_idx_part(ground.path(), "reference", data->train, rows_from(0));
    Devices devices;
    for (const auto& [name, first] : {std::pair("owner", 1000U), std::pair("holder", 2000U)}) {
        auto device = std::make_unique<Device>(ground.path(), name, free_port());
        write_idx_part(device->folder(), "own", data->train, rows_from(first));
        device->init({"--classes 0,1,2,3,4,5,6,7,8,9", "--images", (device->folder() / "own-images").string(),
                      "--labels", (device->folder() / "own-labels").string(), "--reference",
                      (ground.path() / "reference-images").string()});
        device->start();
        devices.push_back(std::move(device));
    }
    Device& owner = *devices[0];
    Device& holder = *devices[1];
    introduce(owner, holder);
    REQUIRE(eventually([&] { return all_have_seeds(devices, {}); }));
    const auto images = (holder.folder() / "own-images").string();
    CHECK(owners_in(holder.ask("predict " + images)).size() == 1);

    const ReplayedPeer copy(owner.data_dir());
    // The search finds what is there.
    CHECK(places_with_pieces_of(copy.weights(), holder.process()) > 100);
    CHECK(places_in_files(copy.weights(), holder.data_dir().string()) > 100);

    CHECK(owner.ask("exit --yes --wait --timeout 20")["erased"] == 1);
    CHECK(owner.wait() == 0);
    CHECK(places_in_files(copy.weights(), holder.data_dir().string()) == 0);
    // The session with the owner ends with its process; what libzmq kept for it goes then.
    CHECK(eventually([&] { return places_with_pieces_of(copy.weights(), holder.process()) == 0; },
                     std::chrono::seconds(10)));
    INFO("left: " << places_with_pieces_of(copy.weights(), holder.process()));
    CHECK(holder.running());
}

TEST_CASE("what a user does wrong is one line and exit code 2, and the state stays") {
    const Playground ground;
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

TEST_CASE("new data: the daemon learns again and announces a new version by itself") {
    const Playground ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(new_device(ground, "a", 1));
    devices.push_back(new_device(ground, "b", 2));
    introduce(*devices[0], *devices[1]);
    REQUIRE(eventually([&] { return all_have_seeds(devices, {}); }));
    const auto version_held = [&] { return devices[1]->ask("status")["seeds"][0]["version"]; };
    CHECK(version_held() == 1);
    write_data(devices[0]->folder(), 3);
    CHECK(eventually([&] { return version_held() == 2 && all_have_seeds(devices, {}); }));
    CHECK(devices[0]->ask("publish --wait")["version"] == 3);
    CHECK(eventually([&] { return version_held() == 3; }));
    // A restart has nothing to learn and nothing to announce.
    CHECK(devices[0]->stop() == 0);
    devices[0]->start();
    CHECK(eventually([&] { return all_have_seeds(devices, {}); }));
    CHECK(devices[0]->ask("status")["own_seed"]["version"] == 3);
}

}  // namespace
