#include <random>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "node/storage/wiping_memory.hpp"
#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

constexpr std::size_t kErasedSeedSize = 100 * 1024;

Traces traces_of(std::uint32_t owner, std::uint64_t version, std::size_t size = kErasedSeedSize) {
    return Traces(held(owner, version, size).payload->view());
}

/// Stores and deletes a payload through plain SQLite, and says what can still be found in the files while the
/// database is open. For the controls: what happens without one of the precautions.
std::size_t traces_after_plain_delete(const std::string& secure_delete, bool checkpoint) {
    const TemporaryFolder folder;
    REQUIRE(install_wiping_memory());
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open((folder.path() / "plain.db").c_str(), &database) == SQLITE_OK);
    const auto run = [&](const std::string& sql) {
        REQUIRE(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    };
    run("PRAGMA journal_mode = WAL; PRAGMA secure_delete = " + secure_delete);
    run("CREATE TABLE seeds(payload BLOB)");
    const auto seed = payload(77, kErasedSeedSize);
    sqlite3_stmt* insert = nullptr;
    sqlite3_prepare_v2(database, "INSERT INTO seeds VALUES(?1)", -1, &insert, nullptr);
    sqlite3_bind_blob(insert, 1, seed->view().data(), static_cast<int>(seed->size()), SQLITE_STATIC);
    REQUIRE(sqlite3_step(insert) == SQLITE_DONE);
    sqlite3_finalize(insert);
    if (checkpoint) run("PRAGMA wal_checkpoint(TRUNCATE)");
    run("DELETE FROM seeds");
    if (checkpoint) run("PRAGMA wal_checkpoint(TRUNCATE)");
    const auto found = Traces(seed->view()).count_in_folder(folder.path());
    sqlite3_close(database);
    return found;
}

}  // namespace

TEST_CASE("control: without secure_delete, or without emptying the log, the bytes are still in the files") {
    CHECK(traces_after_plain_delete("OFF", true) > kErasedSeedSize / 16);
    CHECK(traces_after_plain_delete("ON", false) > kErasedSeedSize / 16);
    CHECK(traces_after_plain_delete("ON", true) == 0);
}

TEST_CASE("an erased seed is in no file and not in memory; before, it is in the files") {
    for (const bool settled : {false, true}) {
        const TemporaryFolder folder;
        const auto store = open(folder.path());
        const auto traces = traces_of(1, 1);
        apply(*store, {held(1, 1, kErasedSeedSize), held(2, 1, kErasedSeedSize)});
        if (settled) REQUIRE(store->settle());
        REQUIRE(traces.count_in_folder(folder.path()) > kErasedSeedSize / 16);
        {
            const auto state = load(*store);  // in the memory of the caller as well
            REQUIRE(traces.windows_in_own_memory() > kErasedSeedSize / 16);
        }
        apply(*store, {tombstone(1), EraseHeldSeed{node(1)}});
        CHECK(traces.count_in_folder(folder.path()) == 0);
        CHECK(traces.windows_in_own_memory() == 0);
        CHECK(traces_of(2, 1).count_in_folder(folder.path()) > kErasedSeedSize / 16);
    }
}

TEST_CASE("a replaced seed is in no file, a neighbour's or our own") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    const auto own = [](std::uint64_t version) {
        auto seed = held(9, version, kErasedSeedSize);
        return PutOwnSeed{seed.version, seed.record, seed.payload};
    };
    apply(*store, {held(1, 1, kErasedSeedSize), own(1)});
    REQUIRE(traces_of(1, 1).count_in_folder(folder.path()) > 0);
    REQUIRE(traces_of(9, 1).count_in_folder(folder.path()) > 0);
    apply(*store, {held(1, 2, kErasedSeedSize)});
    CHECK(traces_of(1, 1).count_in_folder(folder.path()) == 0);
    CHECK(traces_of(1, 2).count_in_folder(folder.path()) > 0);
    apply(*store, {own(2)});
    CHECK(traces_of(9, 1).count_in_folder(folder.path()) == 0);
    CHECK(traces_of(9, 2).count_in_folder(folder.path()) > 0);
}

TEST_CASE("erasing a seed that is not held also clears what a failed install left in the log") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    CHECK(!store->apply(std::vector<StoreOp>{held(1, 1, kErasedSeedSize), tombstone(2), held(2, 1)}));
    apply(*store, {EraseHeldSeed{node(1)}});
    CHECK(traces_of(1, 1).count_in_folder(folder.path()) == 0);
    CHECK(traces_of(1, 1).windows_in_own_memory() == 0);
}

TEST_CASE("whatever the sizes and the order, no erased seed leaves a window of 16 bytes behind") {
    // Rows that come and go make SQLite split and join its pages; rows of many sizes end at odd places.
    const TemporaryFolder folder;
    auto store = open(folder.path());
    std::mt19937 random(3);
    std::vector<PutHeldSeed> present;
    for (std::uint32_t round = 0; round < 150; ++round) {
        if (present.size() < 4 || random() % 2 == 0) {
            const std::size_t size = 16 + random() % (random() % 2 == 0 ? 600 : 30000);
            auto seed = held(round, 1, size);
            seed.record = statement(std::string(1 + random() % 3000, 'r'));
            apply(*store, {seed});
            REQUIRE(Traces(seed.payload->view()).count_in_folder(folder.path()) > 0);
            present.push_back(std::move(seed));
        } else {
            const auto which = present.begin() + static_cast<std::ptrdiff_t>(random() % present.size());
            apply(*store, {EraseHeldSeed{which->owner}});
            CHECK(Traces(which->payload->view()).count_in_folder(folder.path()) == 0);
            present.erase(which);
        }
        if (random() % 8 == 0) {
            store.reset();
            store = open(folder.path());
        }
    }
    CHECK(load(*store).held_seeds.size() == present.size());
}

TEST_CASE("an erasure that a crash cut short is completed by the next start") {
    const TemporaryFolder source;
    const TemporaryFolder crashed;
    const auto store = open(source.path());
    apply(*store, {held(1, 1, kErasedSeedSize)});
    // The files as they lie there while the store is open: what a crash leaves, the log not yet emptied.
    for (const auto* name : {"state.db", "state.db-wal"})
        std::filesystem::copy_file(source.path() / name, crashed.path() / name);
    REQUIRE(traces_of(1, 1).count_in_file(crashed.path() / "state.db-wal") > 0);
    const auto restarted = open(crashed.path());
    CHECK(load(*restarted).held_seeds.size() == 1);
    CHECK(std::filesystem::file_size(crashed.path() / "state.db-wal") == 0);
}
