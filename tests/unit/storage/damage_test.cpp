#include <fstream>
#include <random>

#include <doctest/doctest.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

/// What opening and loading the folder says, as one line; empty when both went well.
std::string outcome(const std::filesystem::path& folder) {
    const auto store = Store::open(folder, binding());
    if (!store) return store.error().detail;
    const auto loaded = (*store)->load();
    return loaded ? std::string() : loaded.error().detail;
}

void fill(const std::filesystem::path& folder) {
    const auto store = open(folder);
    std::vector<StoreOp> ops;
    for (std::uint32_t i = 0; i < 40; ++i) {
        ops.push_back(tombstone(i));
        ops.push_back(PutRecipient{node(i), SeedVersion{1}});
        ops.push_back(PutReceipt{node(i), statement("receipt")});
    }
    for (std::uint32_t i = 100; i < 104; ++i)
        ops.push_back(held(i, 1, 20000));
    REQUIRE(store->apply(ops));
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

TEST_CASE("a damaged row is an error that names its table and row") {
    const struct {
        const char* sql;
        const char* expected;
    } cases[] = {
        {"UPDATE tombstones SET owner = x'0102' WHERE rowid = 3", "table tombstones, row 3: column 1"},
        {"UPDATE tombstones SET signature = x'00' WHERE rowid = 2", "table tombstones, row 2: column 3"},
        {"UPDATE tombstones SET notice = x'' WHERE rowid = 4", "table tombstones, row 4: column 2"},
        {"UPDATE recipients SET version = -1 WHERE rowid = 5", "table recipients, row 5: column 2"},
        {"UPDATE receipts SET receipt = zeroblob(1000000) WHERE rowid = 6",
         "table receipts, row 6: column 2"},
        {"UPDATE meta SET self = x'00'", "table meta, row 1"},
        {"DELETE FROM meta", "table meta is empty"},
        {"DROP TABLE receipts", "no such table"},
    };
    for (const auto& one : cases) {
        INFO(one.sql);
        const TemporaryFolder folder;
        fill(folder.path());
        run_sql(folder.path(), one.sql);
        const auto line = outcome(folder.path());
        INFO(line);
        CHECK(line.find(one.expected) != std::string::npos);
        CHECK(line.find("state.db") != std::string::npos);
    }
}

TEST_CASE("a damaged index of a promise stops the start") {
    // All rows would still be loaded, but a later statement could not be stored beside them.
    for (const std::string table : {"tombstones", "recipients", "receipts", "left_receipts", "starts",
                                    "asked", "revocations", "successions", "members"}) {
        INFO(table);
        const TemporaryFolder folder;
        apply(*open(folder.path()),
              {tombstone(1), PutRecipient{node(2), SeedVersion{3}}, PutReceipt{node(3), statement("receipt")},
               PutLeftReceipt{node(5), statement("left")}, PutAsked{node(4), SeedVersion{6}},
               PutStart{StartId{}, StartId{}, 3}, PutRevocation{node(10), statement("revocation"), {}},
               PutSuccession{statement("succession")}, PutMember{node(11), 1, statement("membership")}});
        const auto file = folder.path() / "state.db";
        const auto root = [&] {
            const auto connection = sqlite::Connection::open(file, sqlite::Access::read_only).value();
            const std::string query =
                "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_" + table + "_1'";
            return static_cast<std::size_t>(connection->integer(query).value());
        }();
        auto bytes = content_of(file);
        constexpr std::size_t kPage = 4096;
        REQUIRE(root > 1);
        REQUIRE(bytes.size() >= root * kPage);
        bytes.replace((root - 1) * kPage, 16, std::string(16, '\xee'));
        write_file(file, bytes);
        CHECK(outcome(folder.path()).find("state.db") != std::string::npos);
    }
}

TEST_CASE("a damaged held seed is reported, left out and can be erased; the others are loaded") {
    const char* cases[] = {
        "UPDATE held_seeds SET owner = x'FF' WHERE id = 2",
        "UPDATE held_seeds SET version = -5 WHERE id = 2",
        "UPDATE held_seeds SET record = x'' WHERE id = 2",
        "UPDATE held_seeds SET signature = x'0000' WHERE id = 2",
        "UPDATE held_seeds SET digest = zeroblob(32) WHERE id = 2",
        "UPDATE held_seeds SET payload = x'' WHERE id = 2",
        "UPDATE held_seeds SET payload = zeroblob(30000000) WHERE id = 2",
        "UPDATE held_seeds SET payload = zeroblob(length(payload)) WHERE id = 2",
    };
    for (const std::string sql : cases) {
        INFO(sql);
        const TemporaryFolder folder;
        fill(folder.path());
        run_sql(folder.path(), sql);
        const auto store = open(folder.path());
        const auto loaded = store->load();
        REQUIRE(loaded);
        CHECK(loaded->state.held_seeds.size() == 3);
        CHECK(loaded->state.tombstones.size() == 40);
        REQUIRE(loaded->damaged.size() == 1);
        CHECK(loaded->damaged[0].row == 2);
        CHECK(loaded->damaged[0].owner.has_value() == (sql.find("owner") == std::string::npos));
        CHECK(loaded->damaged[0].detail.find("table held_seeds, row 2: ") != std::string::npos);
        REQUIRE(store->erase(loaded->damaged[0]));
        CHECK(load(*store).held_seeds.size() == 3);
    }
}

TEST_CASE("a file that is no database, or cut short, is an error and is left as it is") {
    const TemporaryFolder folder;
    fill(folder.path());
    const auto file = folder.path() / "state.db";
    const auto good = content_of(file);
    for (const std::string& bad : {std::string("hello, this is a text file\n"), std::string(100000, 'x'),
                                   good.substr(0, 5000), good.substr(0, 4096)}) {
        write_file(file, bad);
        CHECK(outcome(folder.path()) != "");
        CHECK(content_of(file) == bad);
    }
    write_file(file, good);
    CHECK(outcome(folder.path()) == "");
}

TEST_CASE("damaged bytes anywhere never crash and never yield a seed that was not stored") {
    const TemporaryFolder folder;
    fill(folder.path());
    const auto file = folder.path() / "state.db";
    const auto good = content_of(file);
    std::mt19937 random(7);
    int refused = 0;
    for (int round = 0; round < 300; ++round) {
        auto bad = good;
        const std::size_t at = random() % bad.size();
        const std::size_t length = 1 + random() % 64;
        for (std::size_t i = at; i < std::min(bad.size(), at + length); ++i)
            bad[i] = static_cast<char>(random());
        write_file(file, bad);
        std::filesystem::remove(folder.path() / "state.db-wal");
        const auto store = Store::open(folder.path(), binding());
        const auto loaded = store ? (*store)->load() : tl::unexpected(store.error());
        if (!loaded) {
            ++refused;
            continue;
        }
        for (const auto& seed : loaded->state.held_seeds) {
            bool known = false;
            for (std::uint32_t i = 100; i < 104; ++i)
                known = known || std::ranges::equal(seed.payload->view(), held(i, 1, 20000).payload->view());
            CHECK(known);
        }
    }
    CHECK(refused > 0);
}
