#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <numeric>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "node/learning/data/idx.hpp"
#include "replayed_peer.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/memory_search.hpp"
#include "tests/support/temporary_folder.hpp"

/// That nothing of a forgotten seed is left on disk and in the memory of those who held it.

namespace {

using namespace unlearn::testing;

constexpr std::chrono::seconds kSoon{5};

/// Long enough for some predictions meanwhile, and mostly in products.
void distil_for_a_while(const Device& device) {
    const auto file = device.folder() / "node.toml";
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    std::string config = text.str();
    const auto section = config.find("\n[distillation]");
    REQUIRE(section != std::string::npos);
    const auto line_end = config.find('\n', section + 1);
    REQUIRE(line_end != std::string::npos);
    config.insert(line_end + 1, "epochs = 500\nbatch = 800\n");
    std::ofstream(file) << config;
}

std::unique_ptr<Device> device_with_images(const TemporaryFolder& ground, const std::string& name,
                                           const unlearn::learning::LabelledData& data, std::size_t first) {
    auto device = std::make_unique<Device>(ground.path(), name, free_port());
    std::vector<std::size_t> rows(800);
    std::iota(rows.begin(), rows.end(), first);
    write_idx_part(device->folder(), "own", data, rows);
    device->init({"--classes 0,1,2,3,4,5,6,7,8,9", "--images", (device->folder() / "own-images").string(),
                  "--labels", (device->folder() / "own-labels").string(), "--reference",
                  (ground.path() / "reference-images").string()});
    distil_for_a_while(*device);
    // As the systemd unit has it.
    device->set_environment("LD_BIND_NOW", "1");
    device->start();
    return device;
}

/// BLAS packs what is multiplied at the same time into different buffers.
void predict_while_it_learns(const Device& device) {
    const auto version = [&] { return device.ask("status")["own_seed"]["version"]; };
    const auto before = version();
    REQUIRE(device.ctl("publish").code == 0);
    std::size_t predictions = 0;
    REQUIRE(eventually([&] {
        REQUIRE(device.ctl("predict " + (device.folder() / "own-images").string()).code == 0);
        ++predictions;
        return version() != before;
    }));
    CHECK(predictions > 1);
}

void check_wiped(const SeedSearch& search, const Device& device) {
    PlacesInProcess left;
    static_cast<void>(eventually(
        [&] {
            left = search.places_in_process(device.process());
            return left.all() == 0;
        },
        kSoon));
    INFO(device.folder().filename().string());
    CHECK(left.elsewhere == 0);
    CHECK(left.stacks == 0);
}

TEST_CASE("the search finds 64 bytes of a seed at every alignment and in any order, and nothing else") {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 0.1F);
    const auto weights_of = [&] {
        std::string out;
        for (int i = 0; i < 20000; ++i) {
            const float value = normal(random);
            out.append(reinterpret_cast<const char*>(&value), sizeof(value));
        }
        return out;
    };
    const auto weights = weights_of();
    const auto others = weights_of();
    const SeedSearch search(weights);
    for (std::size_t from = 0; from < 256; from += 4) {
        std::vector<char> memory(others.begin(), others.end());
        CHECK(search.places_in(memory) == 0);
        const std::size_t to = 1000 + from / 4;
        std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(from), 60, memory.begin() + to);
        CHECK(search.places_in(memory) == 0);
        std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(from), 64, memory.begin() + to);
        CHECK(search.places_in(memory) == 1);
    }
    std::vector<char> packed;  // as the transposed matrix would lie
    for (std::size_t i = 0; i < 16; ++i)
        packed.insert(packed.end(), weights.begin() + static_cast<std::ptrdiff_t>(i * 400),
                      weights.begin() + static_cast<std::ptrdiff_t>(i * 400 + 4));
    CHECK(search.places_in(packed) == 1);
}

TEST_CASE("after an exit nothing of a seed is left, at those who held the leaver's and at the leaver") {
    if (::geteuid() != 0) {
        MESSAGE("skipped: only root may look into the memory of unlearnd");
        return;
    }
    // Images, and many at once: BLAS packs weights of this size into buffers of its own.
    const auto data = unlearn::learning::load_idx_folder("/usr/share/datasets/fashion-mnist");
    REQUIRE_MESSAGE(data.has_value(), data.error().message);
    const TemporaryFolder ground;
    {
        std::vector<std::size_t> rows(800);
        std::iota(rows.begin(), rows.end(), 0);
        write_idx_part(ground.path(), "reference", data->train, rows);
    }
    Devices devices;
    devices.push_back(device_with_images(ground, "owner", data->train, 1000));
    devices.push_back(device_with_images(ground, "holder", data->train, 2000));
    devices.push_back(device_with_images(ground, "away", data->train, 3000));
    Device& owner = *devices[0];
    Device& holder = *devices[1];
    Device& away = *devices[2];
    introduce(owner, holder);
    introduce(owner, away);
    const auto uses = [](const Device& device, std::size_t seeds) {
        return device.seeds_in_use().size() == seeds;
    };
    REQUIRE_MESSAGE(eventually([&] { return uses(owner, 2) && uses(holder, 1) && uses(away, 1); }),
                    seeds_of(devices));
    for (const auto& device : devices)
        CHECK_FALSE(owners_in(device->ask("predict " + (device->folder() / "own-images").string())).empty());

    predict_while_it_learns(holder);

    const SeedSearch of_owner(ReplayedPeer(owner.data_dir()).weights());
    const SeedSearch of_holder(ReplayedPeer(holder.data_dir()).weights());
    const SeedSearch of_away(ReplayedPeer(away.data_dir()).weights());
    // The search finds what is there, and tells one seed from another.
    CHECK(of_owner.places_in_process(holder.process()).elsewhere > 10000);
    CHECK(of_owner.places_in_files(holder.data_dir().string()) > 10000);
    CHECK(of_away.places_in_process(holder.process()).all() == 0);
    CHECK(of_away.places_in_files(holder.data_dir().string()) == 0);
    for (const auto* search : {&of_holder, &of_away}) {
        CHECK(search->places_in_process(owner.process()).elsewhere > 10000);
        CHECK(search->places_in_files(owner.data_dir().string()) > 10000);
    }

    // One is away, so that the leaver's process waits for it and can be looked into.
    CHECK(away.stop() == 0);
    CHECK(owner.ask("exit --yes")["begun"] == true);
    REQUIRE(eventually([&] { return owner.ask("exit --yes")["erased"] == 1; }));
    for (const auto* search : {&of_holder, &of_away}) {
        CHECK(search->places_in_files(owner.data_dir().string()) == 0);
        check_wiped(*search, owner);
        CHECK(owner.running());
    }
    CHECK(of_owner.places_in_files(holder.data_dir().string()) == 0);

    away.start();
    CHECK(owner.wait() == 0);
    // The session with the owner ends with its process; what libzmq kept for it goes then.
    for (const auto* device : {&holder, &away}) {
        CHECK(of_owner.places_in_files(device->data_dir().string()) == 0);
        check_wiped(of_owner, *device);
        CHECK(device->running());
    }
}

}  // namespace
