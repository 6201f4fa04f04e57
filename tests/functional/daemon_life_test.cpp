#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "replayed_peer.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/temporary_folder.hpp"

/// The life of a fleet, through the public commands: join, predict, leave in the middle of crashes, and what
/// those who stay predict then.

namespace {

using namespace unlearn::testing;
using nlohmann::json;
namespace fs = std::filesystem;

using Ids = std::vector<std::string>;

/// What a device says about all rows of the reference set, to the last bit: probabilities, who took part with
/// which version, and the weight of the seeds.
json answers_of(const Device& device) {
    const auto rows = (device.folder().parent_path() / "reference.csv").string();
    json out;
    for (const char* prior : {"own", "uniform"})
        out[prior] = device.ask(std::string("predict --label label --prior ") + prior + " " + rows);
    return out;
}

using Answers = std::map<const Device*, json>;

Answers answers_of(const std::vector<const Device*>& devices) {
    Answers out;
    for (const auto* device : devices)
        out[device] = answers_of(*device);
    return out;
}

void check_same_bits(const Answers& now, const Answers& then) {
    for (const auto& [device, answers] : now) {
        INFO(device->id());
        for (const char* prior : {"own", "uniform"}) {
            CHECK(owners_in(answers[prior]) == owners_in(then.at(device)[prior]));
            // Not inside of CHECK, which would print 800 rows.
            const bool same = answers[prior] == then.at(device)[prior];
            CHECK(same);
        }
    }
}

/// Without this, having the same bits as before somebody came would prove nothing.
void check_others(const Answers& now, const Answers& then) {
    for (const auto& [device, answers] : now) {
        INFO(device->id());
        for (const char* prior : {"own", "uniform"}) {
            const bool same = answers[prior]["probabilities"] == then.at(device)[prior]["probabilities"];
            CHECK_FALSE(same);
        }
    }
}

/// A power cut of everybody at once: nobody is there whom one could ask about exits, and all come back by
/// themselves.
void cut_power(const Devices& devices) {
    std::vector<Device*> cut;
    for (const auto& device : devices)
        if (device->running()) cut.push_back(device.get());
    for (auto* device : cut)
        device->kill();
    for (auto* device : cut)
        device->start();
}

/// `leaver` leaves while `away` is stopped, is killed in the middle of it, when the `others` have signed, and
/// goes on by itself. `meanwhile` looks at the world in which the exit waits. Returns when the exit is over.
void leave_through_crash(
    Device& leaver, Device& away, std::size_t others, const std::function<void()>& meanwhile = [] {}) {
    REQUIRE(away.stop() == 0);
    CHECK(leaver.ask("exit --yes")["begun"] == true);
    REQUIRE(eventually([&] {
        const auto exit = leaver.ask("exit --yes");
        return exit["announced"] == true && exit["erased"] == others;
    }));
    leaver.kill();
    leaver.start();
    CHECK(leaver.ask("status")["state"] == "exiting");
    CHECK(leaver.ask("status")["seeds"].empty());
    const auto waiting = leaver.ask("exit --yes");
    CHECK(waiting["complete"] == false);
    CHECK(waiting["erased"] == others);
    CHECK(waiting["missing"] == 1);
    CHECK(leaver.ctl("exit --yes --wait --timeout 1").code == 5);
    CHECK(leaver.ask("certificate")["complete"] == false);
    meanwhile();
    away.start();
    REQUIRE(leaver.wait() == 0);
}

/// Anybody can check offline who signed what: `erased` are those who stayed, `left` those who left before.
void check_certificate(const Device& leaver, const Device& verifier, Ids erased, const Ids& left = {}) {
    const auto file = (leaver.data_dir() / "certificate.json").string();
    const auto verdict = verifier.ask("verify --complete " + file);
    CHECK(verdict["valid"] == true);
    CHECK(verdict["complete"] == true);
    CHECK(verdict["owner"] == leaver.id());
    auto signed_by = verdict["erased"].get<Ids>();
    std::sort(signed_by.begin(), signed_by.end());
    std::sort(erased.begin(), erased.end());
    CHECK(signed_by == erased);
    CHECK(verdict["left"].get<Ids>() == left);
    CHECK(verdict["missing"].empty());
    // Its daemon has ended; the certificate can still be asked for.
    CHECK(leaver.ask("certificate") == json::parse(std::ifstream(file)));
}

/// A device is copied while it is a member: as a backup, and as a disk that somebody kept.
class Copies {
  public:
    Copies(const TemporaryFolder& ground, const Device& device)
        : ground_(ground),
          device_(device),
          backup_(ground.path() / (device.folder().filename().string() + ".backup")) {
        REQUIRE(device.ctl("backup " + backup_.string()).code == 0);
        disk_ = std::make_unique<ReplayedPeer>(device.data_dir());
    }

    /// Announces the old seed to `holder`, which shows the exit and takes nothing.
    void announce_to(const Device& holder) const {
        const auto installed = holder.log_entries("seed_installed");
        const auto reaction = holder.port() != 0 ? disk_->announce_to(holder.address())
                                                 : disk_->announce_when_dialled(holder.id(), device_.port());
        CHECK(reaction == Reaction::shown_the_exit);
        CHECK(holder.log_entries("seed_installed") == installed);
    }

    /// Puts the backup back on another device, which meets its exit and ends. `port` 0: it only dials.
    void restore_at(int port) const {
        Device restored(ground_.path(), "restored", port);
        std::ifstream config(device_.folder() / "node.toml");
        std::string text(std::istreambuf_iterator<char>(config), {});
        const auto replace = [&](const std::string& from, const std::string& to) {
            for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
                text.replace(at, from.size(), to);
        };
        replace(device_.data_dir().string(), restored.data_dir().string());
        replace((device_.folder() / "socket").string(), (restored.folder() / "socket").string());
        if (port != device_.port()) replace(std::to_string(device_.port()), std::to_string(port));
        std::ofstream(restored.folder() / "node.toml") << text;
        const auto put_back =
            restored.ctl("restore --data " + restored.data_dir().string() + " " + backup_.string());
        REQUIRE_MESSAGE(put_back.code == 0, put_back.err);
        restored.launch();
        // Where its neighbours would dial it and do not find it, it dials them after a while.
        CHECK_MESSAGE(restored.wait(std::chrono::seconds(60)) == 6, restored.log());
        restored.launch();
        CHECK_MESSAGE(restored.wait() == 6, restored.log());
    }

  private:
    const TemporaryFolder& ground_;
    const Device& device_;
    fs::path backup_;
    std::unique_ptr<ReplayedPeer> disk_;
};

/// Never again: neither the identity, nor its old announcement, nor its backup.
void check_never_back(Device& leaver, const Copies& copies, const std::vector<const Device*>& holders,
                      int port_of_backup) {
    leaver.launch();
    CHECK(leaver.wait() == 6);
    for (const auto* holder : holders)
        copies.announce_to(*holder);
    copies.restore_at(port_of_backup);
}

/// The records of those who stayed are in order.
void end_of(const std::vector<Device*>& survivors, std::size_t exits) {
    for (auto* device : survivors) {
        CHECK(device->ask("status")["exits_known"] == exits);
        CHECK(device->ask("log --verify")["ok"] == true);
        CHECK(device->stop() == 0);
    }
}

TEST_CASE("five daemons: joins, exits through crashes, a missed exit, replay, restored backup, power cut") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Devices devices;
    const auto join = [&](const std::string& name, unsigned data) -> Device& {
        devices.push_back(new_device(ground.path(), name, data));
        for (std::size_t i = 0; i + 1 < devices.size(); ++i)
            introduce(*devices[i], *devices.back());
        return *devices.back();
    };
    // Three that will stay, and what they predict before they have heard of the two who will leave.
    Device& c = join("c", 2);
    Device& d = join("d", 3);
    Device& e = join("e", 4);
    REQUIRE_MESSAGE(eventually([&] { return all_have_seeds(devices); }), seeds_of(devices));
    const std::vector<const Device*> survivors{&c, &d, &e};
    const auto never_met = answers_of(survivors);

    Device& a = join("a", 0);
    Device& b = join("b", 1);
    REQUIRE_MESSAGE(eventually([&] { return all_have_seeds(devices); }), seeds_of(devices));
    const auto with_all = answers_of(survivors);
    check_others(with_all, never_met);
    std::ofstream(ground.path() / "rows.csv") << "x,y\n-1,-90\n1,-110\n-0.9,104\n1.2,88\n";
    const std::string predict = "predict --prior uniform " + (ground.path() / "rows.csv").string();
    const auto four = d.ask(predict);
    CHECK(four["labels"] == json{0, 1, 2, 3});
    CHECK(owners_in(four) == ids_without(devices, {&d}));

    // One misses the exit of a; a is killed in the middle of it.
    const Copies copies(ground, a);
    leave_through_crash(a, c, 3, [&] {
        CHECK(owners_in(d.ask(predict)) == ids_without(devices, {&a, &d}));
        CHECK_FALSE(owners_in(b.ask(predict)).empty());
    });
    CHECK(eventually([&] { return all_have_seeds(devices, {&a}); }));
    check_certificate(a, b, {b.id(), c.id(), d.id(), e.id()});
    const auto without_a = answers_of(survivors);
    check_others(without_a, with_all);
    check_never_back(a, copies, {&b, &d}, free_port());
    CHECK(all_have_seeds(devices, {&a}));
    check_same_bits(answers_of(survivors), without_a);

    // A second one leaves; it held nothing of the first any more.
    const auto left = b.ask("exit --yes --wait --timeout 20");
    CHECK(left["complete"] == true);
    CHECK(left["erased"] == 3);
    CHECK(left["left"] == 1);
    CHECK(b.wait() == 0);
    CHECK(eventually([&] { return all_have_seeds(devices, {&a, &b}); }));
    check_certificate(b, d, {c.id(), d.id(), e.id()}, {a.id()});

    // Bit for bit as if they had never been there, before and after a power cut.
    check_same_bits(answers_of(survivors), never_met);
    cut_power(devices);
    CHECK(eventually([&] { return all_have_seeds(devices, {&a, &b}); }));
    check_same_bits(answers_of(survivors), never_met);
    end_of({&c, &d, &e}, 2);
}

TEST_CASE("two daemons of which only one can be dialled: the same, whoever of them leaves") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(new_device(ground.path(), "dialled", 1));
    devices.push_back(new_device(ground.path(), "behind-nat", 2, false));
    bool dialled_leaves = false;
    SUBCASE("the one that only dials leaves") {}
    SUBCASE("the one that is dialled leaves") {
        dialled_leaves = true;
    }
    Device& leaver = *devices[dialled_leaves ? 0 : 1];
    Device& holder = *devices[dialled_leaves ? 1 : 0];

    const auto alone = answers_of({&holder});
    introduce(leaver, holder);
    REQUIRE_MESSAGE(eventually([&] { return all_have_seeds(devices); }), seeds_of(devices));
    const auto together = answers_of({&holder});
    check_others(together, alone);
    cut_power(devices);
    CHECK(eventually([&] { return all_have_seeds(devices); }));
    check_same_bits(answers_of({&holder}), together);

    const Copies copies(ground, leaver);
    leave_through_crash(leaver, holder, 0, [&] {
        // Nobody is left who knows of it.
        leaver.kill();
        leaver.start();
    });
    CHECK(eventually([&] { return holder.seeds_in_use().empty(); }));
    check_certificate(leaver, holder, {holder.id()});
    check_same_bits(answers_of({&holder}), alone);

    check_never_back(leaver, copies, {&holder}, leaver.port());
    CHECK(holder.seeds_in_use().empty());
    cut_power(devices);
    check_same_bits(answers_of({&holder}), alone);
    end_of({&holder}, 1);
}

TEST_CASE("the holder never comes back, and the owner gives up") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(new_device(ground.path(), "owner", 1));
    devices.push_back(new_device(ground.path(), "holder", 2, false));
    Device& owner = *devices[0];
    Device& holder = *devices[1];
    introduce(owner, holder);
    REQUIRE_MESSAGE(eventually([&] { return all_have_seeds(devices); }), seeds_of(devices));
    holder.kill();
    CHECK(owner.ask("exit --yes")["complete"] == false);
    CHECK(owner.ask("exit --yes --give-up")["missing"] == 1);
    CHECK(owner.wait() == 0);
    const auto certificate = (owner.data_dir() / "certificate.json").string();
    const auto verdict = owner.ask("verify " + certificate);
    CHECK(verdict["complete"] == false);
    CHECK(verdict["missing"] == json{holder.id()});
    CHECK(owner.ctl("verify --complete " + certificate).code == 5);
}

TEST_CASE("a lost device leaves by its sealed exit") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(new_device(ground.path(), "member", 1));
    devices.push_back(new_device(ground.path(), "lost", 2, false));
    Device& member = *devices[0];
    Device& lost = *devices[1];
    const auto alone = answers_of({&member});
    introduce(member, lost);
    REQUIRE_MESSAGE(eventually([&] { return all_have_seeds(devices); }), seeds_of(devices));
    lost.kill();
    static_cast<void>(member.ask("exit --yes --sealed " + (lost.folder() / "exit.sealed").string()));
    CHECK(eventually([&] { return member.seeds_in_use().empty(); }));
    check_same_bits(answers_of({&member}), alone);
    lost.launch();
    CHECK(lost.wait() == 6);
}

}  // namespace
