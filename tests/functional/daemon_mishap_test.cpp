#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/functional/user_module.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/temporary_folder.hpp"

/// What goes wrong around a daemon: its state is lost, a module computes for ever, a peer is in another
/// network, a request is misspelt.

namespace {

using namespace unlearn::testing;
using nlohmann::json;
namespace fs = std::filesystem;

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// A line for `write_module`.
constexpr const char* kEndless = "    for i in range(9223372036854775806):\n        x = torch.mul(x, 1)\n";

/// What curl prints for a request to the control socket.
std::string curl(const Device& device, const std::string& target, const std::string& body) {
    const auto out = device.folder() / "curl.out";
    const std::string command = "curl -s --unix-socket " + (device.folder() / "socket").string() +
                                " 'http://x" + target + "' -d '" + body + "' >" + out.string();
    REQUIRE(std::system(command.c_str()) == 0);
    return content_of(out);
}

TEST_CASE("a node whose state was lost does not start as if it were new") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto device = new_device(ground.path(), "a", 1);
    CHECK(device->stop() == 0);
    CHECK(device->check().code == 0);
    const fs::path state = device->data_dir() / "state";
    SUBCASE("the file is empty") {
        fs::resize_file(state / "state.db", 0);
        for (const char* log : {"state.db-wal", "state.db-shm"})
            fs::remove(state / log);
    }
    SUBCASE("the folder is gone") {
        fs::remove_all(state);
    }
    const auto checked = device->check();
    CHECK(checked.code == 2);
    CHECK(mentions(checked.out, (state / "state.db").string() + ": is empty or missing"));
    device->launch();
    CHECK(device->wait() == 2);
    CHECK(mentions(device->log(), "is empty or missing"));
    // The control: a node that has never run has no state to lose.
    for (const char* sign : {"published-seed", "main-model"})
        fs::remove(device->data_dir() / sign);
    CHECK(device->check().code == 0);
}

TEST_CASE("--check notices a control socket that the daemon of another node has") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto running = new_device(ground.path(), "running", 1);
    CHECK(running->check().code == 0);
    Device other(ground.path(), "other", 0);
    write_data(other.folder(), 2);
    other.init();
    const auto config = other.folder() / "node.toml";
    std::string text = content_of(config);
    const std::string own = (other.folder() / "socket").string();
    REQUIRE(mentions(text, own));
    text.replace(text.find(own), own.size(), (running->folder() / "socket").string());
    std::ofstream(config) << text;
    const auto checked = other.check();
    CHECK(checked.code == 2);
    CHECK(mentions(checked.out, "the unlearnd of another node listens here"));
}

TEST_CASE("a daemon stops although a module computes for ever, and its state can be opened at once") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Device device(ground.path(), "users", 0);
    write_data(device.folder(), 1);
    const auto file = device.folder() / "own.pt";
    write_module(file);
    auto options = device.usual_options();
    options.front() = "--classes a,b,c,d --seed mlp:32 --torchscript " + file.string();
    device.init(options);
    write_module(file, kEndless);
    device.launch();
    REQUIRE(eventually([&] { return device.ctl("--json status").code == 0; }));
    ::kill(device.process(), SIGTERM);
    CHECK(device.wait(std::chrono::seconds(120)) == 0);
    CHECK(mentions(device.log(), "stopped without waiting"));
    write_module(file);
    device.start();
    CHECK(device.ctl("wait").code == 0);
}

TEST_CASE("an init that is interrupted makes nothing, and leaves no process") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Device device(ground.path(), "users", 0);
    write_data(device.folder(), 1);
    const auto file = device.folder() / "own.pt";
    write_module(file, kEndless);
    const auto at = [&](const char* name) { return (device.folder() / name).string(); };
    const pid_t process = ::fork();
    if (process == 0) {
        const std::string program = std::string(UNLEARN_BIN_DIR) + "/unlearnctl";
        ::execl(program.c_str(), program.c_str(), "--config", at("new.toml").c_str(), "--socket",
                at("new.sock").c_str(), "init", "--network", "fleet", "--classes", "a,b,c,d", "--data",
                at("own.csv").c_str(), "--label", "label", "--reference",
                (ground.path() / "reference.csv").c_str(), "--seed", "mlp:32", "--torchscript", file.c_str(),
                "--data-dir", at("new").c_str(), "--sealed", at("new.sealed").c_str(),
                static_cast<char*>(nullptr));
        ::_exit(127);
    }
    REQUIRE(process > 0);
    REQUIRE(eventually([&] { return fs::exists(at("new.toml")); }));
    ::kill(process, SIGTERM);
    int status = 0;
    REQUIRE(::waitpid(process, &status, 0) == process);
    CHECK(WIFSIGNALED(status));
    for (const char* name : {"new", "new.toml", "new.sealed"})
        CHECK_MESSAGE(!fs::exists(at(name)), name);
    const std::string left = "pgrep -f '" + at("new.toml") + " [-]-check' >/dev/null";
    CHECK(std::system(left.c_str()) != 0);
}

TEST_CASE("a misspelt name in a request is refused, and nothing else is done") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto device = new_device(ground.path(), "a", 1);
    CHECK(mentions(curl(*device, "/v1/exit", R"({"give-up": true})"), R"(unknown name \"give-up\")"));
    CHECK(mentions(curl(*device, "/v1/exit?giveup=1", ""), R"(unknown name \"giveup\")"));
    CHECK(device->ask("status")["state"] == "running");
    CHECK(mentions(curl(*device, "/v1/predict", R"({"inputs":[[1,2]],"colums":["y","x"]})"),
                   R"(did you mean \"columns\"?)"));
    CHECK(mentions(curl(*device, "/v1/predict?pior=uniform", R"({"inputs":[[1,2]]})"),
                   R"(did you mean \"prior\"?)"));
    CHECK(mentions(curl(*device, "/v1/predict", R"({"inputs":[[1,-3.4028234663852886e+38]]})"), "too large"));
    CHECK(mentions(curl(*device, "/v1/predict?prior=uniform", R"({"inputs":[[1,2]],"columns":["x","y"]})"),
                   "probabilities"));
}

TEST_CASE("a peer that is added again without an address keeps the one that it has") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto device = new_device(ground.path(), "a", 1);
    const auto other = new_device(ground.path(), "b", 2);
    static_cast<void>(device->ask("peers add " + other->address()));
    const auto before = device->ask("peers");
    REQUIRE(before[0]["address"].is_string());
    static_cast<void>(device->ask("peers add " + other->id()));
    CHECK(device->ask("peers")[0]["address"] == before[0]["address"]);
}

TEST_CASE("whoever waits in vain is told that a peer refuses") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto here = new_device(ground.path(), "here", 1);
    Device there(ground.path(), "there", free_port());
    write_data(there.folder(), 2);
    there.init(there.usual_options(), "--network elsewhere");
    there.start();
    introduce(*here, there);
    // Their ids decide who dials, and so who is refused.
    const auto is_told = [](const Device& device) { return device.ask("peers")[0]["problem"].is_string(); };
    REQUIRE(eventually([&] { return is_told(*here) || is_told(there); }));
    const Device& told = is_told(*here) ? *here : there;
    const Device& other = &told == &there ? *here : there;
    const auto waited = told.ctl("wait --seeds 1 --timeout 1");
    CHECK(waited.code == 5);
    CHECK(mentions(waited.err, "peer " + other.id().substr(0, 10) + ": "));
}

}  // namespace
