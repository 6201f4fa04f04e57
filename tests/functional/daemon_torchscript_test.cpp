#include <chrono>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/functional/user_module.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/temporary_folder.hpp"

/// A daemon whose main model its user brought along.

namespace {

using namespace unlearn::testing;
using nlohmann::json;

std::filesystem::path module_of(const Device& device) {
    return device.folder() / "own.pt";
}

/// The device's main model is its module, which must be there.
void init_with_module(Device& device) {
    auto options = device.usual_options();
    options.front() = "--classes a,b,c,d --seed mlp:32 --torchscript " + module_of(device).string();
    device.init(options);
}

TEST_CASE("a daemon with the user's own TorchScript model: predicts, gives a seed, forgets") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(std::make_unique<Device>(ground.path(), "users", free_port()));
    Device& users = *devices.front();
    write_data(users.folder(), 1);
    write_module(module_of(users));
    init_with_module(users);
    users.start();
    CHECK(users.ask("status")["model"]["main"] == "torchscript own.pt");

    const auto predict =
        "predict --label label --prior uniform " + (ground.path() / "reference.csv").string();
    const auto alone = users.ask(predict);
    // The rows of the reference set are of the four classes in turn, and no noise crosses a border. The
    // node's own data lack class 1, so it has no vote on that.
    for (std::size_t row = 0; row < alone["labels"].size(); ++row)
        if (row % 4 != 1) REQUIRE(alone["labels"][row] == row % 4);
    // A restart, and asking often, change no bit.
    CHECK(users.stop() == 0);
    users.start();
    for (int i = 0; i < 3; ++i) {
        const bool same = users.ask(predict) == alone;
        CHECK(same);
    }

    // It takes full part: its seed is distilled from the user's model.
    devices.push_back(new_device(ground.path(), "neighbour", 2));
    Device& neighbour = *devices.back();
    introduce(users, neighbour);
    REQUIRE_MESSAGE(eventually([&] { return all_have_seeds(devices); }), seeds_of(devices));
    CHECK(owners_in(users.ask(predict)) == std::vector{neighbour.id()});
    CHECK(owners_in(neighbour.ask(predict)) == std::vector{users.id()});
    CHECK(neighbour.ask("exit --yes --wait --timeout 20")["erased"] == 1);
    CHECK(eventually([&] { return users.seeds_in_use().empty(); }));
    const bool forgotten = users.ask(predict) == alone;
    CHECK(forgotten);
}

/// Makes a module that counts for as long as the largest value of its input says, if that is above 100.
void write_counting_module(const std::filesystem::path& file) {
    write_module(file,
                 "    turns = int(x.max().item())\n"
                 "    counted = 0\n"
                 "    if turns > 100:\n"
                 "        for i in range(turns):\n"
                 "            for j in range(100):\n"
                 "                counted = (counted * 3 + j) % 1009\n"
                 "    x = x + 0.0 * float(counted)\n");
}

TEST_CASE("a prediction is computed again when the owner of a seed that took part leaves meanwhile") {
    using Clock = std::chrono::steady_clock;
    const TemporaryFolder ground;
    write_reference(ground.path());
    Devices devices;
    devices.push_back(std::make_unique<Device>(ground.path(), "users", free_port()));
    Device& users = *devices.front();
    write_data(users.folder(), 1);
    write_counting_module(module_of(users));
    init_with_module(users);
    users.start();
    devices.push_back(new_device(ground.path(), "leaver", 2));
    Device& leaver = *devices.back();
    introduce(users, leaver);
    REQUIRE_MESSAGE(eventually([&] { return all_have_seeds(devices); }), seeds_of(devices));

    // A row that takes this machine about three seconds.
    const auto predict = [&](double value) {
        const auto rows = ground.path() / "slow.csv";
        std::ofstream(rows) << "x,y\n" << value << ",2\n";
        return users.ctl("--json predict " + rows.string());
    };
    double value = 1e4;
    for (auto taken = Clock::duration::zero(); taken < std::chrono::seconds(3); value *= 2) {
        const auto begun = Clock::now();
        const auto answered = predict(value);
        taken = Clock::now() - begun;
        REQUIRE_MESSAGE(answered.code == 0, answered.err);
        REQUIRE(owners_in(json::parse(answered.out)) == std::vector{leaver.id()});
    }

    auto meanwhile = std::async(std::launch::async, [&] { return predict(value); });
    std::this_thread::sleep_for(std::chrono::seconds(1));
    CHECK(leaver.ask("exit --yes --wait --timeout 60")["erased"] == 1);
    const auto answered = meanwhile.get();
    REQUIRE_MESSAGE(answered.code == 0, answered.err);
    CHECK(owners_in(json::parse(answered.out)).empty());
}

TEST_CASE("a TorchScript file that is none is said in one line, and the node stays up without a model") {
    const TemporaryFolder ground;
    write_reference(ground.path());
    Device device(ground.path(), "users", 0);
    write_data(device.folder(), 1);
    const auto file = module_of(device);
    write_module(file);
    init_with_module(device);
    std::filesystem::resize_file(file, 100);
    device.launch();
    REQUIRE(eventually([&] {
        const auto status = device.ctl("--json status");
        return status.code == 0 && json::parse(status.out)["model"]["problem"].is_string();
    }));
    const std::string problem = device.ask("status")["model"]["problem"];
    CHECK(problem.find(file.string()) == 0);
    CHECK(problem.find('\n') == std::string::npos);
    CHECK(device.ctl("predict --label label " + (ground.path() / "reference.csv").string()).code == 1);
    // Put right, it is learnt when asked.
    write_module(file);
    CHECK(device.ask("publish --wait")["version"] == 1);
    CHECK(device.ctl("predict --label label " + (ground.path() / "reference.csv").string()).code == 0);
}

}  // namespace
