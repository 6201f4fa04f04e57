#include <cstdlib>
#include <fstream>
#include <string>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/functional/user_module.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/temporary_folder.hpp"

/// What people bring to a daemon: models that fail later, rows in another order, folders and ports that
/// cannot be had.

namespace {

using namespace unlearn::testing;
using nlohmann::json;
namespace fs = std::filesystem;

/// A module that fails for what `refuses` is true of.
void write_refusing_module(const fs::path& file, const std::string& refuses = "x > 50.0") {
    write_module(file, "    assert not bool((" + refuses + ").any()), \"out of the module's range\"\n");
}

struct Scene {
    TemporaryFolder ground;
    Device device{ground.path(), "users", 0};
    fs::path module = device.folder() / "own.pt";
    std::string reference = (ground.path() / "reference.csv").string();

    Scene() {
        write_reference(ground.path());
        write_data(device.folder(), 1);
    }
    [[nodiscard]] std::vector<std::string> options_with_module() const {
        auto options = device.usual_options();
        options.front() = "--classes a,b,c,d --seed mlp:32 --torchscript " + module.string();
        return options;
    }
    /// The arguments of unlearnctl.
    [[nodiscard]] std::string init_with_module() const {
        std::string arguments = "init --network fleet --data-dir " + device.data_dir().string() +
                                " --sealed " + (device.folder() / "exit.sealed").string() + " --socket " +
                                (device.folder() / "socket").string();
        for (const auto& option : options_with_module())
            arguments += " " + option;
        return arguments;
    }
};

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("a module that throws at some inputs costs a prediction or a training, and nothing else") {
    Scene scene;
    Device& device = scene.device;
    write_refusing_module(scene.module);
    device.init(scene.options_with_module());
    device.start();
    const auto predict = "predict --label label " + scene.reference;
    const auto before = device.ask(predict);

    const auto far = scene.ground.write("far.csv", "x,y\n1,1\n900,900\n").string();
    const auto failed = device.ctl("predict " + far);
    CHECK(failed.code == 1);
    CHECK_MESSAGE(mentions(failed.err, "own.pt: cannot answer 2 rows: "), failed.err);
    CHECK_MESSAGE(mentions(failed.err, "out of the module's range"), failed.err);
    CHECK(std::count(failed.err.begin(), failed.err.end(), '\n') == 1);
    const bool same = device.ask(predict) == before;
    CHECK(same);

    // New data for which it cannot be used: the model before stays, and people hear why.
    {
        std::ofstream more(device.folder() / "own.csv", std::ios::app);
        for (int row = 0; row < 100; ++row)
            more << "900,900,a\n";
    }
    const auto published = device.ctl("publish --wait");
    CHECK(published.code == 1);
    CHECK_MESSAGE(mentions(published.err, "out of the module's range"), published.err);
    const auto status = device.ctl("status").out;
    CHECK_MESSAGE(mentions(status, "failed, and this model stays in use: "), status);
    CHECK_MESSAGE(mentions(status, "state            running"), status);
    const bool still_same = device.ask(predict) == before;
    CHECK(still_same);
    CHECK(device.ctl("wait --timeout 5").code == 1);
    CHECK(device.running());
    CHECK(device.stop() == 0);
}

TEST_CASE("a node that has no model says so to people, to waiting scripts and to clients") {
    Scene scene;
    Device& device = scene.device;
    write_refusing_module(scene.module);
    device.init(scene.options_with_module());
    write_refusing_module(scene.module, "x > -50.0");
    device.launch();
    REQUIRE(eventually([&] {
        const auto asked = device.ctl("--json status");
        return asked.code == 0 && json::parse(asked.out)["state"] == "no-model";
    }));
    const auto status = device.ctl("status").out;
    CHECK_MESSAGE(mentions(status, "none, and no predictions: " + scene.module.string() + ": cannot answer"),
                  status);
    const auto waited = device.ctl("wait --timeout 60");
    CHECK(waited.code == 1);
    CHECK_MESSAGE(mentions(waited.err, "learning failed: " + scene.module.string()), waited.err);
    const auto predicted = device.ctl("predict --label label " + scene.reference);
    CHECK(predicted.code == 1);
    CHECK_MESSAGE(mentions(predicted.err, "this node has no main model: " + scene.module.string()),
                  predicted.err);
    CHECK(device.metric("state{state=\"no-model\"}") == 1);
    // It is a member of its network all the same, and a mended file makes it whole.
    write_refusing_module(scene.module);
    CHECK(device.ask("publish --wait")["version"] == 1);
    CHECK(device.ctl("wait --timeout 60").code == 0);
    CHECK(device.stop() == 0);
}

TEST_CASE("init tries the module before it makes anything, and so does --check") {
    Scene scene;
    Device& device = scene.device;
    write_refusing_module(scene.module, "x > -50.0");
    const auto refused = device.ctl(scene.init_with_module());
    CHECK(refused.code == 2);
    CHECK_MESSAGE(
        refused.err.starts_with("unlearnctl: " + scene.module.string() + ": cannot answer 256 rows: "),
        refused.err);
    CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
    for (const char* made : {"data", "node.toml", "exit.sealed"})
        CHECK_FALSE(fs::exists(device.folder() / made));

    write_refusing_module(scene.module);
    device.init(scene.options_with_module());
    CHECK(scene.device.check().code == 0);
    write_refusing_module(scene.module, "x > -50.0");
    const auto checked = scene.device.check();
    CHECK(checked.code == 2);
    CHECK_MESSAGE(checked.out.starts_with("error: " + scene.module.string()), checked.out);
    // One row among the 800 that it cannot be used for is found.
    std::ofstream(device.folder() / "own.csv", std::ios::app) << "90,90,a\n";
    write_refusing_module(scene.module, "x > 10.0");
    CHECK(scene.device.check().code == 2);
}

TEST_CASE("init tries the module on the reference set, too") {
    Scene scene;
    Device& device = scene.device;
    // Far away even after scaling; the node has no such row itself.
    std::ofstream(scene.reference, std::ios::app) << "900,9000,a\n";
    write_refusing_module(scene.module, "x > 20.0");
    const auto refused = device.ctl(scene.init_with_module());
    CHECK(refused.code == 2);
    CHECK_MESSAGE(refused.err.starts_with("unlearnctl: " + scene.module.string() + ": cannot answer "),
                  refused.err);
    CHECK_MESSAGE(mentions(refused.err, "out of the module's range"), refused.err);
    for (const char* made : {"data", "node.toml", "exit.sealed"})
        CHECK_FALSE(fs::exists(device.folder() / made));
    write_refusing_module(scene.module, "x > 40.0");
    CHECK(device.ctl(scene.init_with_module()).code == 0);
}

TEST_CASE("rows to predict are matched by their header, and a class among them is noticed") {
    Scene scene;
    Device& device = scene.device;
    device.init();
    device.start();
    REQUIRE(device.ctl("wait").code == 0);
    const auto file = [&](const std::string& name, const std::string& text) {
        return scene.ground.write(name, text).string();
    };
    const auto in_order = device.ask("predict " + file("in_order.csv", "x,y\n-2,2\n2,-2\n"));
    const bool by_name = device.ask("predict " + file("other.csv", "y;x\n2;-2\n-2;2\n")) == in_order;
    CHECK(by_name);
    const bool by_place = device.ask("predict " + file("bare.csv", "-2,2\n2,-2\n")) == in_order;
    CHECK(by_place);
    const bool without_class =
        device.ask("predict --label label " + file("labelled.csv", "y,label,x\n2,?,-2\n-2,,2\n")) == in_order;
    CHECK(without_class);
    const auto refused = [&](const std::string& text, const std::string& words) {
        const auto finished = device.ctl("predict " + file("refused.csv", text));
        CHECK(finished.code == 2);
        CHECK_MESSAGE(mentions(finished.err, "refused.csv:1: " + words), finished.err);
    };
    refused("x\n1\n", "lacks column \"y\"");
    refused("x,y,z\n1,2,3\n", "has column \"z\", which the network does not have");
    refused("x,y,label\n1,2,a\n",
            "has column \"label\", which the network does not have; column \"label\" is the "
            "class: leave it out with --label label");
    refused("1,2,3\n", "has 3 columns, and the network has 2; if one of them is the class");
}

TEST_CASE("--check finds what would stop the start, and leaves a running node alone") {
    Scene scene;
    Device& device = scene.device;
    Device listening(scene.ground.path(), "listening", free_port());
    write_data(listening.folder(), 2);
    listening.init();
    CHECK(listening.check().code == 0);
    CHECK_FALSE(fs::exists(listening.data_dir() / "state"));

    // Somebody else has the port.
    const int other = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(listening.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(other, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(other, 1) == 0);
    const auto busy = listening.check();
    CHECK(busy.code == 2);
    CHECK_MESSAGE(mentions(busy.out, "the port is in use"), busy.out);
    ::close(other);

    // The node itself may have it.
    listening.start();
    CHECK(listening.check().code == 0);
    CHECK(listening.stop() == 0);

    // What is in the way of the control socket.
    std::ofstream(listening.folder() / "socket") << "a file";
    const auto blocked = listening.check();
    CHECK(blocked.code == 2);
    CHECK_MESSAGE(mentions(blocked.out, "already exists and is not a socket"), blocked.out);
    fs::remove(listening.folder() / "socket");

    // A folder on a read-only file system.
    const auto out = scene.ground.path() / "check.out";
    const std::string data = listening.data_dir().string();
    const std::string read_only =
        "unshare -m bash -c 'mount --bind " + data + " " + data + " && mount -o remount,ro,bind " + data +
        " || exit 77; exec " + std::string(UNLEARN_BIN_DIR) + "/unlearnd --config " +
        (listening.folder() / "node.toml").string() + " --check' >" + out.string() + " 2>&1";
    const int status = std::system(read_only.c_str());
    const auto said = content_of(out);
    if (WEXITSTATUS(status) == 77 || mentions(said, "unshare: ")) {
        MESSAGE("not tried: mounting is not allowed here");
    } else {
        CHECK(WEXITSTATUS(status) == 2);
        CHECK_MESSAGE(mentions(said, data + ": cannot be written: "), said);
    }

    // An identity that has left.
    listening.start();
    CHECK(listening.ask("exit --yes --wait")["complete"] == true);
    CHECK(listening.wait() == 0);
    CHECK(listening.check().code == 6);
    static_cast<void>(device);
}

TEST_CASE("--check does not want what systemd makes in /run at the start") {
    Scene scene;
    Device& device = scene.device;
    device.init();
    const auto config = content_of(device.folder() / "node.toml");
    const auto out = scene.ground.path() / "check.out";
    // Nobody can write there, as nobody but root can elsewhere.
    const std::string command =
        "unshare -m bash -c 'mount --bind /run /run && mount -o remount,ro,bind /run || exit 77; exec " +
        std::string(UNLEARN_BIN_DIR) + "/unlearnd --config " + (device.folder() / "node.toml").string() +
        " --check' >" + out.string() + " 2>&1";
    const auto check_with_socket = [&](const std::string& socket) {
        std::string changed = config;
        const auto usual = (device.folder() / "socket").string();
        changed.replace(changed.find(usual), usual.size(), socket);
        std::ofstream(device.folder() / "node.toml") << changed;
        const int status = std::system(command.c_str());
        return Finished{WIFEXITED(status) ? WEXITSTATUS(status) : 128, content_of(out), {}};
    };
    const std::string name = scene.ground.path().filename().string();
    const auto in_new_folder = check_with_socket("/run/" + name + "/control.sock");
    if (in_new_folder.code == 77 || mentions(in_new_folder.out, "unshare: ")) {
        MESSAGE("not tried: mounting is not allowed here");
        return;
    }
    CHECK_MESSAGE(in_new_folder.code == 0, in_new_folder.out);
    // A socket in /run itself is nothing that systemd makes room for.
    const auto in_run = check_with_socket("/run/" + name + ".sock");
    CHECK(in_run.code == 2);
    CHECK_MESSAGE(mentions(in_run.out, "/run: cannot be written: "), in_run.out);
}

TEST_CASE("columns that are rarely meant are told in the log of the daemon") {
    Scene scene;
    Device& device = scene.device;
    std::string rows = ",x,class\n";
    for (int i = 0; i < 12; ++i)
        rows += std::to_string(i) + "," + std::to_string(i % 5) + (i % 2 == 0 ? ",a\n" : ",b\n");
    std::ofstream(device.folder() / "own.csv") << rows;
    std::ofstream(scene.reference) << rows;
    auto options = device.usual_options();
    options.front() = "--classes a,b --label class --main mlp:4 --seed mlp:4";
    device.init(options);
    device.start();
    const auto log = device.log();
    for (const auto& file : {(device.folder() / "own.csv").string(), scene.reference})
        CHECK_MESSAGE(mentions(log, file + ": column number 1 has no name"), log);
}

TEST_CASE("a node of a network that was made before columns had names starts, learns, and meets its like") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto make = [&](const std::string& name, unsigned seed, bool older) {
        auto device = std::make_unique<Device>(ground.path(), name, free_port());
        write_data(device->folder(), seed);
        auto options = device->usual_options();
        if (older) options.emplace_back("--older-network");
        device->init(options);
        device->start();
        REQUIRE(device->ctl("wait").code == 0);
        return device;
    };
    const auto old_one = make("old", 1, true);
    const auto old_other = make("other", 2, true);
    introduce(*old_one, *old_other);
    CHECK(old_one->ctl("wait --seeds 1 --timeout 60").code == 0);
    // Names count there, too.
    const auto rows = [&](const std::string& text) {
        return "predict " + ground.write("rows.csv", text).string();
    };
    const auto plain = old_one->ask(rows("x,y\n-2,2\n"));
    const bool same = old_one->ask(rows("y,x\n2,-2\n")) == plain;
    CHECK(same);
    // A new network is another one.
    const auto young = make("young", 3, false);
    CHECK(young->ask("id")["network"] != old_one->ask("id")["network"]);
    CHECK(old_one->stop() == 0);
    old_one->start();
    CHECK(old_one->ctl("wait --seeds 1 --timeout 60").code == 0);
}

TEST_CASE("an init that runs out of space makes nothing, and succeeds when there is room again") {
    Scene scene;
    const auto disk = scene.ground.path() / "disk";
    fs::create_directories(disk);
    std::string arguments = "init --network fleet --classes a,b,c,d --data " +
                            (scene.device.folder() / "own.csv").string() + " --reference " + scene.reference +
                            " --config full/node.toml --data-dir full/data --sealed full/exit.sealed";
    // All room is taken but for so many pages; init fails, there is room again, init succeeds.
    scene.ground.write(
        "script",
        "set -u\nmount -t tmpfs -o size=1m tmpfs $DISK && cd $DISK && mkdir full || exit 77\nfailed=0\n"
        "for free in 0 1 2 3 4 5 6 7 8; do\n"
        "  head -c $(($(stat -f -c %a .) * 4096 - free * 4096)) /dev/zero >filler\n"
        "  before=$(find full | sort)\n"
        "  if ! $CTL " +
            arguments +
            "; then\n"
            "    failed=$((failed + 1))\n"
            "    [ \"$(find full | sort)\" = \"$before\" ] || { echo left behind: $(find full); exit 1; }\n"
            "    rm filler\n"
            "    $CTL " +
            arguments +
            " || exit 2\n"
            "  fi\n"
            "  rm -rf full/* filler\ndone\n"
            "[ $failed -ge 2 ] || exit 3\n");
    const std::string command = "DISK=" + disk.string() + " CTL=" + UNLEARN_BIN_DIR +
                                "/unlearnctl unshare -m bash " + (scene.ground.path() / "script").string() +
                                " >" + (scene.ground.path() / "log").string() + " 2>&1";
    const int status = std::system(command.c_str());
    const auto log = content_of(scene.ground.path() / "log");
    if (WEXITSTATUS(status) == 77 || mentions(log, "unshare: "))
        MESSAGE("not tried: mounting is not allowed here");
    else
        CHECK_MESSAGE(WEXITSTATUS(status) == 0, log);
}

TEST_CASE("a seed that cannot be stored is told to whoever waits, and is published once there is room") {
    Scene scene;
    const auto at = [&](const std::string& name) { return (scene.ground.path() / name).string(); };
    fs::create_directories(at("disk"));
    // The new seed has 115 kB, and 64 kB are left. It would find room in the database's log if that were
    // there from before, so the node starts again first.
    scene.ground.write(
        "script",
        "set -u\nmount -t tmpfs -o size=4m tmpfs $GROUND/disk || exit 77\ncd $GROUND\n"
        "CTL=\"$BIN/unlearnctl --config node.toml\"\n"
        "$CTL init --network fleet --classes a,b,c,d --main mlp:16 --seed mlp:4096 --data users/own.csv "
        "--reference reference.csv --data-dir disk/data --sealed exit.sealed --socket socket || exit 2\n"
        "start() {\n  $BIN/unlearnd --config node.toml &\n  daemon=$!\n  $CTL wait --timeout 60 || exit "
        "3\n}\n"
        "stop() { kill $daemon && wait $daemon; }\n"
        "trap stop EXIT\n"
        "start\nstop || exit 4\n"
        "head -c $(($(stat -f -c %a disk) * 4096 - 65536)) /dev/zero >disk/filler\nstart\n"
        // Without an answer it would wait for hours.
        "timeout 20 $CTL publish --wait 2>refused\n[ $? -eq 1 ] || exit 5\n"
        "rm disk/filler\n"
        "for _ in $(seq 200); do\n"
        "  $CTL status >status && grep -q 'own seed  *version 2,' status && exit 0\n  sleep 0.1\ndone\n"
        "cat status\nexit 6\n");
    const std::string command = "GROUND=" + scene.ground.path().string() + " BIN=" + UNLEARN_BIN_DIR +
                                " unshare -m bash " + at("script") + " >" + at("log") + " 2>&1";
    const int status = std::system(command.c_str());
    const auto log = content_of(at("log"));
    if (WEXITSTATUS(status) == 77 || mentions(log, "unshare: ")) {
        MESSAGE("not tried: mounting is not allowed here");
        return;
    }
    CHECK_MESSAGE(WEXITSTATUS(status) == 0, log);
    const auto refused = content_of(at("refused"));
    CHECK_MESSAGE(mentions(refused, "the new seed cannot be stored yet"), refused);
}

TEST_CASE("commands wait for a daemon that is starting") {
    Scene scene;
    Device& device = scene.device;
    device.init();
    CHECK(device.ctl("--patience 0 status").code == 3);
    device.launch();
    // Without waiting for the socket first.
    CHECK(device.ctl("--patience 30 peers add " + device.id()).code == 1);  // itself: the daemon has answered
    CHECK(device.ctl("--patience 30 status").code == 0);
    CHECK(device.ctl("wait --timeout 60").code == 0);
    const auto vain = device.ctl("wait --seeds 1 --timeout 1");
    CHECK(vain.code == 5);
    CHECK_MESSAGE(mentions(vain.err,
                           "not ready after 1 s: the main model is in use, 0 of 1 seeds are here (0 of 0 "
                           "peers are up)"),
                  vain.err);
}

}  // namespace
