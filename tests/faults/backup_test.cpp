#include <array>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "node/storage/store.hpp"
#include "protocol/identity.hpp"
#include "sim/virtual/virtual_disk.hpp"

/// Backups on a disk that fails.
using namespace unlearn;
using sim::virtual_world::VirtualDisk;

namespace {

constexpr const char* kBackup = "/backup.db";

storage::Binding binding() {
    return {protocol::Identity::from_seed({1}).id(), protocol::NetworkId{}};
}

/// Many rows, so that the copy needs many pages.
protocol::Result<void> fill(storage::Store& store, std::size_t rows) {
    std::vector<protocol::StoreOp> ops;
    for (std::size_t i = 0; i < rows; ++i) {
        std::array<std::uint8_t, 32> seed{};
        seed[0] = static_cast<std::uint8_t>(i);
        seed[1] = 1;
        ops.push_back(protocol::PutRecipient{protocol::Identity::from_seed(seed).id(),
                                             protocol::SeedVersion{1},
                                             protocol::WallTime{std::chrono::seconds{1}}});
    }
    return store.apply(ops);
}

}  // namespace

TEST_CASE("a backup that was reported as made can be restored, whatever went wrong on the disk meanwhile") {
    constexpr std::size_t kRows = 200;
    std::size_t made = 0;
    std::size_t refused = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        VirtualDisk disk(seed);
        auto store = storage::Store::open("state", binding(), storage::wall_time_now, disk);
        REQUIRE(store);
        REQUIRE(fill(**store, kRows));
        disk.error_rate = 0.005;
        const bool is_made = (*store)->backup(kBackup).has_value();
        disk.error_rate = 0.0;
        ++(is_made ? made : refused);
        store->reset();
        disk.crash();
        disk.restart(true);
        if (!is_made) continue;
        // Only the file itself is carried elsewhere.
        disk.copy(kBackup, "restored/state.db");
        auto restored = storage::Store::open("restored", binding(), storage::wall_time_now, disk);
        INFO((restored ? "" : restored.error().text()));
        REQUIRE(restored);
        const auto loaded = (*restored)->load();
        REQUIRE(loaded);
        CHECK(loaded->state.recipients.size() == kRows);
    }
    CHECK(made > 20);
    CHECK(refused > 20);
}
