#include "tests/functional/attack_scene.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "node/config/binding.hpp"
#include "tests/support/process_memory.hpp"

namespace unlearn::testing {

using namespace std::chrono_literals;
using nlohmann::json;
using protocol::Identity;
using Clock = std::chrono::steady_clock;

namespace {

constexpr double kMebi = 1 << 20;

/// unlearnd makes itself undumpable, so that its files in /proc are root's. Whoever else runs this attacks
/// all the same, and everything else is checked.
bool measured() {
    return ::geteuid() == 0;
}

}  // namespace

AttackScene::AttackScene(bool with_network_key)
    : victim_(ground_.path(), "victim", free_port()), neighbour_(ground_.path(), "neighbour", 0) {
    if (!measured())
        MESSAGE("memory and descriptors are not measured: unlearnd lets only root look into /proc/PID");
    write_reference(ground_.path());
    ground_.write("rows.csv", "x,y\n-1,-90\n1,-110\n-0.9,104\n1.2,88\n");
    unsigned number = 0;
    const auto key = ground_ / "fleet.key";
    for (auto* device : {&victim_, &neighbour_}) {
        write_data(device->folder(), ++number);
        if (!with_network_key) {
            device->init();
            continue;
        }
        if (number == 1) REQUIRE(device->ctl("network-key " + key).code == 0);
        device->init(device->usual_options(), "--members exchange --network-key " + key);
    }
    for (auto* device : {&victim_, &neighbour_})
        device->start();
    if (!with_network_key) introduce(victim_, neighbour_);
    network_ = config::load_binding(victim_.data_dir() / "binding.json").value().network;
    server_ = protocol::NodeId::from_text(victim_.id()).value();
}

/// The same in peace and in war: what is usual, and what must still work.
void AttackScene::live() {
    for (int i = 0; i < 4; ++i) {
        const auto answer = victim_.ask("predict " + (ground_ / "rows.csv"));
        const auto& participants = answer["participants"];
        CHECK(std::any_of(participants.begin(), participants.end(),
                          [&](const json& one) { return one["owner"] == neighbour_.id(); }));
        CHECK(state_of(neighbour_) == "up");
    }
    const auto version = neighbour_.ask("publish --wait")["version"];
    const auto begun = Clock::now();
    CHECK(eventually([&] { return seed_version() == version; }, 10s));
    const std::chrono::duration<double> took = Clock::now() - begun;
    arrived_after_ = std::max(arrived_after_, took.count());
}

void AttackScene::settle() {
    REQUIRE(eventually([&] { return seed_version() > 0; }));
    const MemoryWatch watch(victim_.process());
    for (int i = 0; i < 3; ++i)
        live();
    if (!measured()) return;
    usual_descriptors_ = open_descriptors(victim_.process());
    usual_ = watch.most();
    REQUIRE(usual_ > 0);
}

void AttackScene::expect_latecomer() {
    latecomer_ = std::make_unique<Device>(ground_.path(), "latecomer", 0);
    write_data(latecomer_->folder(), 3);
    latecomer_->init();
    latecomer_->start();
}

void AttackScene::survive(const std::string& name, const Attack& attack) {
    const MemoryWatch watch(victim_.process());
    arrived_after_ = 0;
    std::jthread attacker(attack);
    if (latecomer_) {
        std::this_thread::sleep_for(1s);
        introduce(victim_, *latecomer_);
        CHECK(eventually([&] { return state_of(*latecomer_) == "up"; }, 10s));
    }
    const auto end = Clock::now() + 3s;
    do {
        live();
        std::this_thread::sleep_for(200ms);  // a peer may publish 32 versions at once, and not more
    } while (Clock::now() < end);
    const auto begun = Clock::now();
    const auto left = neighbour_.ask("exit --yes --wait --timeout 20");
    const std::chrono::duration<double> exit_took = Clock::now() - begun;
    // Before the neighbour's process ends: then pages of libraries that both had in common become
    // private.
    const auto most = static_cast<double>(watch.most());
    attacker.request_stop();
    attacker.join();
    CHECK(left["erased"] == 1);
    CHECK(exit_took < 5s);
    CHECK(neighbour_.wait() == 0);
    CHECK(victim_.running());
    MESSAGE(name << ": seed arrived after " << arrived_after_ << " s, receipt after " << exit_took.count()
                 << " s");
    if (!measured()) return;
    CHECK(most < 1.5 * static_cast<double>(usual_));
    CHECK(eventually([&] { return open_descriptors(victim_.process()) <= usual_descriptors_; }, 15s));
    MESSAGE(name << ": private memory " << most / kMebi << " MiB, usually "
                 << static_cast<double>(usual_) / kMebi << "; descriptors "
                 << open_descriptors(victim_.process()) << " of " << usual_descriptors_);
}

Identity AttackScene::ally() {
    auto identity = Identity::generate();
    static_cast<void>(victim_.ask("peers add " + identity.id().text()));
    return identity;
}

protocol::Hello AttackScene::hello_of(const Identity& who) const {
    protocol::Hello hello;
    hello.network = network_;
    hello.sender = who.id();
    return hello;
}

std::unique_ptr<CurveClient> AttackScene::session_of(const Identity& who) const {
    auto client = std::make_unique<CurveClient>(port(), server_, who);
    REQUIRE(client->connected());
    REQUIRE(client->say(hello_of(who)));
    REQUIRE(client->hear().has_value());
    return client;
}

std::uint64_t AttackScene::seed_version() const {
    const auto status = victim_.ask("status");
    for (const auto& seed : status["seeds"])
        if (seed["owner"] == neighbour_.id() && seed["state"] == "in-use") return seed["version"];
    return 0;
}

std::string AttackScene::state_of(const Device& device) const {
    for (const auto& peer : victim_.ask("peers"))
        if (peer["id"] == device.id()) return peer["state"];
    return "unknown";
}

}  // namespace unlearn::testing
