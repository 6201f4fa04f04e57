// What a daemon costs, with the default models on Fashion-MNIST: 18 real processes on this machine. Each of
// ten owners has the same eight holders, and leaves.
//
//   bench_daemon            prints a line for each figure; takes about two minutes

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "node/ctl/control_client.hpp"
#include "node/learning/data/idx.hpp"
#include "sim/scenario/partition.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

using namespace unlearn::testing;
using unlearn::ctl::ControlClient;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr std::size_t kHolders = 8;
constexpr std::size_t kExits = 5;  // calm ones, and as many while somebody predicts
constexpr std::size_t kLeavers = 2 * kExits;
constexpr std::size_t kDevices = kHolders + kLeavers;  // holders come first
constexpr std::size_t kRows = 64;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

double largest(const std::vector<double>& values) {
    return *std::max_element(values.begin(), values.end());
}

/// Megabytes that belong to this process alone.
double private_memory(const Device& device) {
    std::ifstream file("/proc/" + std::to_string(device.process()) + "/smaps_rollup");
    std::string word;
    double sum = 0;
    double kilobytes = 0;
    while (file >> word)
        if (word == "Private_Clean:" || word == "Private_Dirty:") {
            file >> kilobytes;
            sum += kilobytes;
        }
    return sum / 1024.0;
}

double cpu_seconds(const Device& device) {
    std::ifstream file("/proc/" + std::to_string(device.process()) + "/stat");
    std::string word;
    double user = 0;
    double system = 0;
    for (int field = 1; field < 14; ++field)
        file >> word;
    file >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

ControlClient client_of(const Device& device) {
    return ControlClient(device.folder() / "socket");
}

std::size_t seeds_in_use(const Device& device) {
    const auto status = client_of(device).get("/v1/status");
    if (!status) return 0;
    const auto seeds = status->value("seeds", json::array());
    return static_cast<std::size_t>(std::count_if(
        seeds.begin(), seeds.end(), [](const json& seed) { return seed["state"] == "in-use"; }));
}

struct World {
    TemporaryFolder ground;
    std::vector<std::unique_ptr<Device>> devices;
    json rows = json::array();
};

void make_devices(World& world) {
    using namespace unlearn::learning;
    const auto data = load_idx_folder("/usr/share/datasets/fashion-mnist").value();
    unlearn::sim::scenario::PartitionRequest request;
    request.labels = data.train.labels;
    request.class_count = 10;
    for (std::size_t i = 0; i < kDevices; ++i)
        request.node_names.push_back("node-" + std::to_string(i));
    request.examples_per_node = 2500;
    request.reference_examples = 10'000;
    request.kind = unlearn::sim::scenario::MissingClassesPartition{2};
    const auto partition = unlearn::sim::scenario::draw_partition(request, 1).value();
    write_idx_part(world.ground.path(), "reference", data.train, partition.reference);
    for (std::size_t i = 0; i < kDevices; ++i) {
        auto device = std::make_unique<Device>(world.ground.path(), request.node_names[i], free_port());
        write_idx_part(device->folder(), "own", data.train, partition.node_share[i]);
        device->init({"--classes 0,1,2,3,4,5,6,7,8,9", "--images", (device->folder() / "own-images").string(),
                      "--labels", (device->folder() / "own-labels").string(), "--reference",
                      (world.ground.path() / "reference-images").string()});
        device->start();
        world.devices.push_back(std::move(device));
    }
    const auto width = static_cast<std::size_t>(data.test.shape.size());
    for (std::size_t row = 0; row < kRows; ++row) {
        json pixels = json::array();
        for (std::size_t i = 0; i < width; ++i)
            pixels.push_back(static_cast<int>(data.test.features[row * width + i] * 255.0F + 0.5F));
        world.rows.push_back(std::move(pixels));
    }
    for (std::size_t holder = 0; holder < kHolders; ++holder)
        for (std::size_t leaver = kHolders; leaver < kDevices; ++leaver)
            introduce(*world.devices[holder], *world.devices[leaver]);
    REQUIRE(eventually(
        [&] {
            for (std::size_t i = 0; i < kDevices; ++i)
                if (seeds_in_use(*world.devices[i]) != (i < kHolders ? kLeavers : kHolders)) return false;
            return true;
        },
        std::chrono::seconds(120)));
}

double predict(const World& world, const Device& device) {
    const auto begun = Clock::now();
    const auto answer = client_of(device).post("/v1/predict", {{"inputs", world.rows}});
    REQUIRE_MESSAGE(answer.has_value(), "a prediction was refused");
    return milliseconds_since(begun);
}

void show_start(World& world) {
    std::vector<double> times;
    Device& device = *world.devices.front();
    for (int i = 0; i < 5; ++i) {
        device.stop();
        const auto begun = Clock::now();
        device.launch();
        while (true) {
            const auto health = client_of(device).get("/healthz");
            if (health && health->value("state", "") == "running") break;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        times.push_back(milliseconds_since(begun));
    }
    std::printf("start to ready, with a trained model: median %.0f ms, worst %.0f\n", median(times),
                largest(times));
    REQUIRE(eventually([&] { return seeds_in_use(device) == kLeavers; }));
}

void show_memory(const World& world, const char* when) {
    std::vector<double> sizes;
    for (const auto& device : world.devices)
        if (device->running()) sizes.push_back(private_memory(*device));
    std::printf("private memory %s: median %.1f MB, worst %.1f\n", when, median(sizes), largest(sizes));
}

void show_idle(const World& world) {
    constexpr std::chrono::seconds kIdleTime{30};
    std::vector<double> before;
    for (const auto& device : world.devices)
        before.push_back(cpu_seconds(*device));
    std::this_thread::sleep_for(kIdleTime);
    std::vector<double> shares;
    for (std::size_t i = 0; i < world.devices.size(); ++i)
        shares.push_back(100.0 * (cpu_seconds(*world.devices[i]) - before[i]) /
                         static_cast<double>(kIdleTime.count()));
    std::printf("idle, 8 to 10 peers connected: median %.2f %% of a core, worst %.2f\n", median(shares),
                largest(shares));
}

/// From the command to the certificate with eight receipts, in milliseconds; the time that unlearnctl itself
/// takes to start is in it.
double exit_of(Device& leaver) {
    const auto begun = Clock::now();
    const auto left = leaver.ask("exit --yes --wait --timeout 60");
    const double time = milliseconds_since(begun);
    CHECK(left["complete"] == true);
    CHECK(left["erased"] == kHolders);
    CHECK(leaver.wait() == 0);
    return time;
}

void show_exits(World& world) {
    Device& observer = *world.devices.front();
    std::vector<double> calm;
    for (int i = 0; i < 50; ++i)
        calm.push_back(predict(world, observer));
    std::vector<double> exits;
    for (std::size_t i = 0; i < kExits; ++i)
        exits.push_back(exit_of(*world.devices[kHolders + i]));
    std::vector<double> busy_exits;
    std::vector<double> slowest;
    for (std::size_t i = kExits; i < kLeavers; ++i) {
        std::atomic<bool> stop = false;
        std::vector<double> times;
        std::thread predicting([&] {
            while (!stop)
                times.push_back(predict(world, observer));
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        busy_exits.push_back(exit_of(*world.devices[kHolders + i]));
        stop = true;
        predicting.join();
        slowest.push_back(largest(times));
    }
    std::printf("from `unlearnctl exit` to the last of 8 receipts: median %.0f ms, worst %.0f\n",
                median(exits), largest(exits));
    std::printf("the same while a holder predicts without pause: median %.0f ms, worst %.0f\n",
                median(busy_exits), largest(busy_exits));
    std::printf(
        "prediction of %zu rows: median %.1f ms, worst of 50 %.1f; the slowest during an exit: median %.1f "
        "ms, "
        "worst %.1f\n",
        kRows, median(calm), largest(calm), median(slowest), largest(slowest));
}

TEST_CASE("what a daemon costs") {
    World world;
    make_devices(world);
    show_memory(world, "after training, with 8 to 10 seeds");
    show_start(world);
    for (const auto& device : world.devices)
        static_cast<void>(predict(world, *device));
    show_memory(world, "after predictions");
    show_idle(world);
    show_exits(world);
}

}  // namespace
