#include "node/storage/event_log.hpp"

#include <fstream>
#include <set>

#include <doctest/doctest.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

std::unique_ptr<Store> open_at(const std::filesystem::path& directory, std::int64_t seconds) {
    auto store =
        Store::open(directory, binding(), [seconds] { return WallTime{std::chrono::seconds{seconds}}; });
    REQUIRE(store);
    return std::move(*store);
}

void append(Bytes& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

void append(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append(Bytes& out, std::uint64_t number) {
    for (int byte = 7; byte >= 0; --byte)
        out.push_back(static_cast<std::uint8_t>(number >> (8 * byte)));
}

/// The hashes as event_log.hpp describes them, worked out anew.
Digest documented_origin() {
    Bytes bytes;
    append(bytes, std::string_view("unlearnd log 1"));
    append(bytes, binding().self.view());
    append(bytes, binding().network.view());
    return digest_of(bytes);
}

Digest documented_hash(const LogEntry& entry) {
    Bytes bytes;
    append(bytes, std::string_view("unlearnd log entry 1"));
    append(bytes, entry.previous.view());
    append(bytes, entry.seq);
    append(bytes, static_cast<std::uint64_t>(entry.at.time_since_epoch().count()));
    append(bytes, entry.version);
    bytes.push_back(entry.subject ? 32 : 0);
    if (entry.subject) append(bytes, entry.subject->view());
    append(bytes, std::string_view(entry.kind));
    return digest_of(bytes);
}

/// "kind subject version" of each entry, with the numbers of `node`.
std::vector<std::string> told(Store& store) {
    std::vector<std::string> out;
    const auto entries = store.read_log(0, 100).value();
    for (const auto& entry : entries) {
        std::string subject = "-";
        for (std::uint32_t i = 0; i < 20 && entry.subject; ++i)
            if (*entry.subject == node(i)) subject = std::to_string(i);
        out.push_back(entry.kind + " " + subject + " " + std::to_string(entry.version));
    }
    return out;
}

constexpr std::uint64_t kEntries = 6;

/// A closed store with kEntries entries.
void make_log(const std::filesystem::path& directory) {
    const auto store = open_at(directory, 1000);
    apply(*store, {held(1, 3), held(2, 1), PutRecipient{node(3), SeedVersion{1}}});
    apply(*store, {tombstone(1), EraseHeldSeed{node(1)}, PutPeer{node(4), "tcp://host:1", false}});
    REQUIRE(store->read_log(0, 100).value().size() == kEntries);
}

/// An entry that follows `last` without a fault.
std::string forged_after(const LogEntry& last) {
    LogEntry entry;
    entry.seq = last.seq + 1;
    entry.at = last.at;
    entry.kind = "receipt";
    entry.previous = last.hash;
    const auto literal = [](ByteView bytes) { return "x'" + to_hex(bytes) + "'"; };
    return "INSERT INTO log VALUES(" + std::to_string(entry.seq) + ", " +
           std::to_string(entry.at.time_since_epoch().count()) + ", 'receipt', x'', 0, " +
           literal(entry.previous.view()) + ", " + literal(documented_hash(entry).view()) + ")";
}

constexpr std::uint64_t kLimit = 20;

/// A store whose log has a limit of kLimit entries.
std::unique_ptr<Store> open_limited(const std::filesystem::path& directory, std::uint64_t limit = kLimit) {
    auto store = Store::open(directory, binding(), wall_time_now, real_disk(), limit);
    REQUIRE(store);
    return std::move(*store);
}

/// Appends so many entries, in transactions of their own.
void append_entries(Store& store, std::uint32_t count) {
    static std::uint32_t endpoint = 0;
    for (std::uint32_t i = 0; i < count; ++i)
        apply(store, {PutPeer{node(4), "tcp://host:" + std::to_string(++endpoint), false}});
}

LogCheck intact(Store& store) {
    const auto check = store.verify_log().value();
    CHECK_MESSAGE(!check.first_bad, check.detail);
    return check;
}

std::vector<LogEntry> entries_in(const std::filesystem::path& directory) {
    return open(directory)->read_log(0, 100).value();
}

}  // namespace

TEST_CASE("each change is logged once, and what changes nothing is not") {
    const TemporaryFolder folder;
    const auto store = open_at(folder.path(), 1000);
    const auto own = [](std::uint64_t version) {
        auto seed = held(19, version);
        return PutOwnSeed{seed.version, seed.record, seed.payload};
    };
    const auto lease = [](int end) {
        return PutRecipient{node(3), SeedVersion{1}, WallTime{std::chrono::seconds{end}}};
    };
    apply(*store, {held(1, 3), lease(10), own(1)});
    apply(*store, {held(1, 2), lease(20), own(1), EraseHeldSeed{node(8)}});  // nothing new
    apply(*store, {held(1, 4), tombstone(1), tombstone(1), EraseHeldSeed{node(1)}});
    apply(*store, {PutPeer{node(4), "tcp://host:1", false}, PutPeer{node(4), "tcp://host:1", false},
                   PutPeer{node(4), std::nullopt, true}});
    apply(*store,
          {PutEquivocation{node(5), SeedVersion{2}, statement("a"), statement("b")},
           PutExiting{statement("x")}, PutExiting{statement("y")}, PutReceipt{node(6), statement("r")},
           PutLeftReceipt{node(7), statement("l")}, PutOwnLease{1, {}}, PutRetired{"over"}});
    CHECK(told(*store) == std::vector<std::string>{
                              "seed_installed 1 3", "recipient 3 1", "seed_published - 1", "seed_erased 1 3",
                              "seed_installed 1 4", "tombstone 1 0", "seed_erased 1 4", "peer_added 4 0",
                              "peer_removed 4 0", "equivocation 5 2", "exit_begun - 0", "receipt 6 0",
                              "left_receipt 7 0", "retired - 0"});
}

TEST_CASE("the chain is the documented one, also across starts and in pages") {
    const TemporaryFolder folder;
    make_log(folder.path());
    const auto store = open_at(folder.path(), 2000);
    apply(*store, {tombstone(9)});
    const auto entries = store->read_log(0, 100).value();
    REQUIRE(entries.size() == kEntries + 1);
    Digest previous = documented_origin();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        CHECK(entries[i].seq == i + 1);
        CHECK(entries[i].at == WallTime{std::chrono::seconds{i < kEntries ? 1000 : 2000}});
        CHECK(entries[i].previous == previous);
        CHECK(entries[i].hash == documented_hash(entries[i]));
        previous = entries[i].hash;
    }
    const auto page = store->read_log(2, 3).value();
    REQUIRE(page.size() == 3);
    CHECK(page.front().seq == 3);
    CHECK(store->read_log(kEntries + 1, 100).value().empty());
    CHECK(store->read_log(UINT64_MAX, 100).value().empty());

    const auto check = store->verify_log().value();
    CHECK_MESSAGE(!check.first_bad, check.detail);
    CHECK(check.entries == kEntries + 1);
    for (const std::size_t limit : std::vector<std::size_t>{1, 3, 7, 100}) {
        LogVerifier verifier;
        std::size_t pieces = 1;
        while (!store->verify_log(verifier, limit).value())
            ++pieces;
        CHECK(pieces == (kEntries + 1) / limit + 1);
        CHECK(!verifier.result().first_bad);
        CHECK(verifier.result().entries == kEntries + 1);
    }
}

TEST_CASE("a batch that is not stored is not logged") {
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    apply(*store, {tombstone(1)});
    CHECK(!store->apply(std::vector<StoreOp>{tombstone(2), PutPeer{node(4), "e", false}, held(1, 1)}));
    CHECK(told(*store) == std::vector<std::string>{"tombstone 1 0"});
    apply(*store, {tombstone(3)});
    CHECK(told(*store) == std::vector<std::string>{"tombstone 1 0", "tombstone 3 0"});
    CHECK(!store->verify_log().value().first_bad);
}

TEST_CASE("an untouched log verifies while the node does not run, and reading changes nothing") {
    const TemporaryFolder folder;
    make_log(folder.path());
    const auto before = content_of(folder.path() / "state.db");
    const auto check = verify_log_of(folder.path());
    REQUIRE_MESSAGE(check, check.error().text());
    CHECK_MESSAGE(!check->first_bad, check->detail);
    CHECK(check->entries == kEntries);
    CHECK(content_of(folder.path() / "state.db") == before);
}

TEST_CASE("the log of a node that lost its power is verified with what was not yet in the database") {
    const TemporaryFolder folder;
    const TemporaryFolder copy;
    const auto store = open(folder.path());
    apply(*store, {tombstone(1), PutPeer{node(4), "tcp://host:1", false}});
    for (const char* file : {"state.db", "state.db-wal"})
        std::filesystem::copy_file(folder.path() / file, copy.path() / file);
    const auto log = content_of(copy.path() / "state.db-wal");
    REQUIRE(!log.empty());
    const auto check = verify_log_of(copy.path());
    REQUIRE_MESSAGE(check, check.error().text());
    CHECK_MESSAGE(!check->first_bad, check->detail);
    CHECK(check->entries == 2);
    CHECK(content_of(copy.path() / "state.db-wal") == log);
}

TEST_CASE("every way to tamper with the log is found, at the right entry") {
    const TemporaryFolder original;
    make_log(original.path());
    const auto entries = entries_in(original.path());
    const auto forged = forged_after(entries.back());
    struct Case {
        std::string sql;
        std::uint64_t first_bad;
        std::string detail;
    };
    const std::vector<Case> cases{
        {"UPDATE log SET at = at + 1 WHERE seq = 3", 3, "hash of its fields"},
        {"UPDATE log SET kind = 'receipt' WHERE seq = 3", 3, "hash of its fields"},
        {"UPDATE log SET subject = x'' WHERE seq = 4", 4, "hash of its fields"},
        {"UPDATE log SET version = 9 WHERE seq = 1", 1, "hash of its fields"},
        {"UPDATE log SET version = 9 WHERE seq = 6", 6, "hash of its fields"},
        {"UPDATE log SET previous = zeroblob(32) WHERE seq = 1", 1, "does not follow"},
        {"UPDATE log SET hash = zeroblob(32) WHERE seq = 5", 5, "hash of its fields"},
        {"UPDATE log SET hash = x'' WHERE seq = 6", 6, "hash of its fields"},
        {"DELETE FROM log WHERE seq = 3", 3, "is missing, the next is number 4"},
        {"DELETE FROM log WHERE seq = 1", 1, "is missing, the next is number 2"},
        {"DELETE FROM log WHERE seq > 4", 5, "is missing, the newest was number 6"},
        {"DELETE FROM log", 1, "is missing, the newest was number 6"},
        {"DELETE FROM log WHERE seq = 3; UPDATE log SET seq = seq - 1 WHERE seq > 3", 3, "does not follow"},
        {"UPDATE log SET seq = 0 WHERE seq = 1", 1, "is missing, the next is number 0"},
        {"INSERT INTO log SELECT -5, at, kind, subject, version, previous, hash FROM log WHERE seq = 1", 1,
         "is missing, the next is number -5"},
        {forged, 7, "is after the newest, number 6"},
        {"DELETE FROM log WHERE seq = 6;" + forged_after(entries[4]), 6, "is not the newest"},
        {"UPDATE meta SET log_seq = 5", 6, "is after the newest, number 5"},
        {"UPDATE meta SET log_seq = 0, log_hash = x''", 1, "is after the newest, number 0"},
    };
    for (const Case& tampering : cases) {
        INFO(tampering.sql);
        const TemporaryFolder folder;
        std::filesystem::copy_file(original.path() / "state.db", folder.path() / "state.db");
        REQUIRE(!verify_log_of(folder.path()).value().first_bad);
        run_sql(folder.path(), tampering.sql);
        const auto check = verify_log_of(folder.path());
        REQUIRE_MESSAGE(check, check.error().text());
        REQUIRE(check->first_bad);
        CHECK(*check->first_bad == tampering.first_bad);
        CHECK_MESSAGE(check->detail.find(tampering.detail) != std::string::npos, check->detail);
        CHECK(check->detail.find("log entry " + std::to_string(tampering.first_bad) + " ") == 0);
        // The running node finds the same, in pieces too.
        const auto store = open(folder.path());
        CHECK(store->verify_log().value().first_bad == check->first_bad);
        LogVerifier verifier;
        while (!store->verify_log(verifier, 2).value()) {
        }
        CHECK(verifier.result().first_bad == check->first_bad);
    }
}

TEST_CASE("a log that was tampered with keeps no exit from being stored, and stays found out") {
    const std::vector<std::string> all_sql{
        "DELETE FROM log WHERE seq > 4", "UPDATE meta SET log_hash = x'00'",
        "UPDATE log SET version = 9 WHERE seq = 4", "DELETE FROM log WHERE seq = 2"};
    for (const std::string& sql : all_sql) {
        INFO(sql);
        const TemporaryFolder folder;
        make_log(folder.path());
        run_sql(folder.path(), sql);
        const auto store = open(folder.path());
        const auto found = store->verify_log().value().first_bad;
        apply(*store, {tombstone(2), EraseHeldSeed{node(2)}});
        CHECK(load(*store).tombstones.size() == 2);
        CHECK(load(*store).held_seeds.empty());
        REQUIRE(found);
        CHECK(store->verify_log().value().first_bad.has_value());
    }
}

TEST_CASE("what is no state of a stopped node is not verified, in one line") {
    const TemporaryFolder folder;
    const auto missing = verify_log_of(folder.path() / "none");
    REQUIRE(!missing);
    CHECK(missing.error().detail.find("state.db: no such file") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder.path() / "none"));
    {
        const auto store = open(folder.path());
        const auto busy = verify_log_of(folder.path());
        REQUIRE(!busy);
        CHECK(busy.error().detail.find("in use") != std::string::npos);
    }
    std::ofstream(folder.path() / "state.db") << std::string(10000, 'x');
    const auto other = verify_log_of(folder.path());
    REQUIRE(!other);
    CHECK(other.error().detail.find("state.db") != std::string::npos);
    CHECK(other.error().detail.find('\n') == std::string::npos);
}

TEST_CASE("the log holds nothing of a seed but its owner and version") {
    constexpr std::size_t kSize = 20000;
    const TemporaryFolder folder;
    const auto store = open(folder.path());
    const auto seed = held(1, 1, kSize);
    const auto own = held(19, 1, kSize);
    apply(*store, {seed, PutOwnSeed{own.version, own.record, own.payload}});
    apply(*store, {held(1, 2, kSize), tombstone(1), EraseHeldSeed{node(1)}});
    // The digest would tell whether a seed that is found somewhere is this one.
    std::set<std::string> digests;
    for (const auto& one : std::vector<SharedSeedBytes>{seed.payload, own.payload, held(1, 2, kSize).payload})
        digests.insert(to_hex(digest_of(one->view()).view()));
    const auto entries = store->read_log(0, 100).value();
    REQUIRE(entries.size() == 6);
    for (const auto& entry : entries) {
        CHECK(entry.kind.size() < 20);
        CHECK(!digests.contains(to_hex(entry.hash.view())));
        CHECK(!digests.contains(to_hex(entry.previous.view())));
        CHECK(entry.hash == documented_hash(entry));  // nothing else went into it
    }
}

TEST_CASE("the log keeps its newest entries only, and stays verifiable from the last one dropped") {
    const TemporaryFolder folder;
    std::uint64_t dropped = 0;
    {
        const auto store = open_limited(folder.path());
        append_entries(*store, kLimit);
        CHECK(intact(*store).dropped == 0);  // the control: nothing is dropped within the limit
        for (std::uint64_t written = kLimit + 1; written <= 200; ++written) {
            append_entries(*store, 1);
            const auto check = intact(*store);
            CHECK(check.entries <= kLimit);
            CHECK(check.entries >= kLimit - kLimit / 10);
            CHECK(check.dropped + check.entries == written);
            dropped = check.dropped;
        }
        const auto entries = store->read_log(0, 100).value();
        CHECK(entries.front().seq == dropped + 1);
        for (std::size_t i = 1; i < entries.size(); ++i)
            CHECK(entries[i].previous == documented_hash(entries[i - 1]));
        for (const std::size_t limit : {1, 7, 1000}) {  // in pieces
            LogVerifier verifier;
            while (!store->verify_log(verifier, limit).value()) {
            }
            CHECK(!verifier.result().first_bad);
            CHECK(verifier.result().dropped == dropped);
        }
        REQUIRE(store->backup(folder.path() / "copy.db"));
    }
    const auto stopped = verify_log_of(folder.path()).value();
    CHECK_MESSAGE(!stopped.first_bad, stopped.detail);
    CHECK(stopped.dropped == dropped);
    const TemporaryFolder restored;
    std::filesystem::copy_file(folder.path() / "copy.db", restored.path() / "state.db");
    CHECK(intact(*open_limited(restored.path())).dropped == dropped);
    // After a start the chain goes on, and a higher limit drops nothing.
    const auto store = open_limited(folder.path(), 1000);
    append_entries(*store, 100);
    CHECK(intact(*store).dropped == dropped);
}

TEST_CASE("what is dropped from the log takes nothing from the proofs") {
    const TemporaryFolder folder;
    const auto store = open_limited(folder.path());
    for (std::uint32_t i = 0; i < kLimit; ++i) {
        apply(*store, {tombstone(i)});
        apply(*store, {PutReceipt{node(100 + i), statement("receipt " + std::to_string(i))},
                       PutRecipient{node(100 + i), SeedVersion{1}, {}}});
        apply(*store, {PutEquivocation{node(200 + i), SeedVersion{2}, statement("a"), statement("b")},
                       PutLeftReceipt{node(300 + i), statement("left")}});
    }
    apply(*store, {PutExiting{statement("x")}});
    append_entries(*store, 2 * kLimit);
    REQUIRE(intact(*store).dropped > 5 * kLimit);
    const auto state = load(*store);
    CHECK(state.tombstones.size() == kLimit);
    CHECK(state.receipts.size() == kLimit);
    CHECK(state.recipients.size() == kLimit);
    CHECK(state.equivocations.size() == kLimit);
    CHECK(state.left_receipts.size() == kLimit);
    CHECK(state.exiting);
}

TEST_CASE("an exit does not wait for old entries to be dropped, and no transaction drops many") {
    const TemporaryFolder folder;
    {
        std::vector<StoreOp> many;
        for (std::uint32_t i = 0; i < 2500; ++i)
            many.emplace_back(PutPeer{node(4), "tcp://host:" + std::to_string(i), false});
        const auto store = open_limited(folder.path(), 10'000);
        apply(*store, many);
    }
    // As a state of the version before: its log had no limit.
    const auto store = open_limited(folder.path());
    apply(*store, {tombstone(1), EraseHeldSeed{node(1)}});
    CHECK(intact(*store).dropped == 0);
    append_entries(*store, 1);
    CHECK(intact(*store).dropped == kLogDroppedAtOnce);
    append_entries(*store, 1);
    CHECK(intact(*store).dropped == 2 * kLogDroppedAtOnce);
    append_entries(*store, 1);
    CHECK(intact(*store).entries == kLimit - kLimit / 10);
}

TEST_CASE("tampering is found in a log that was shortened, and broken entries are not dropped") {
    const TemporaryFolder original;
    append_entries(*open_limited(original.path()), 50);
    const auto first = verify_log_of(original.path()).value().dropped + 1;
    REQUIRE(first > kLimit);
    struct Case {
        std::string sql;
        std::uint64_t first_bad;
    };
    const auto number = [](std::uint64_t value) { return std::to_string(value); };
    const std::vector<Case> cases{
        {"DELETE FROM log WHERE seq = " + number(first), first},
        {"UPDATE log SET version = 9 WHERE seq = " + number(first + 1), first + 1},
        {"UPDATE meta SET log_dropped = log_dropped - 1", first - 1},
        {"UPDATE meta SET log_dropped = log_dropped + 1", first + 1},
        {"UPDATE meta SET log_dropped = 0", 1},
        {"UPDATE meta SET log_dropped = -5", 1},
        {"UPDATE meta SET log_dropped_hash = zeroblob(32)", first},
        {"UPDATE meta SET log_dropped_hash = x''", first},
    };
    for (const Case& tampering : cases) {
        INFO(tampering.sql);
        const TemporaryFolder folder;
        std::filesystem::copy_file(original.path() / "state.db", folder.path() / "state.db");
        run_sql(folder.path(), tampering.sql);
        CHECK(verify_log_of(folder.path()).value().first_bad == tampering.first_bad);
        const auto store = open_limited(folder.path());
        append_entries(*store, 2 * kLimit);
        CHECK(store->verify_log().value().first_bad == tampering.first_bad);
    }
}
