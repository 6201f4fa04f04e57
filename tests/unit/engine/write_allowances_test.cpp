#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr auto kLargest = static_cast<std::uint32_t>(kMaxSeedBytes);

/// An announcement of a seed with `bytes` bytes, which need not exist.
Have have_of_size(const Parts& parts, std::uint64_t version, std::uint32_t bytes) {
    auto record =
        *verify_record(parts.peer.id(), parts.network(), parts.have_of(parts.peer, version, 1).record);
    record.payload_bytes = bytes;
    record.chunk_bytes = kMinChunk;
    while (std::size_t{record.chunk_bytes} * kMaxChunks < bytes)
        record.chunk_bytes *= 2;
    record.chunk_digests.assign((bytes + record.chunk_bytes - 1) / record.chunk_bytes, Digest{});
    const Lease lease{parts.peer.id(), SeedVersion{version}, 1, parts.context.now.wall + hours(24)};
    return {sign_record(parts.peer, parts.network(), record), sign_lease(parts.peer, parts.network(), lease)};
}

/// Announces a version. @return true when it is fetched, and false when it is put off
bool is_fetched(Parts& parts, const Have& have) {
    parts.context.effects.clear();
    REQUIRE(parts.held.take_have(1, parts.sessions.at(1), have));
    for (const auto& persist : parts.take<Persist>()) {
        const auto then = parts.writes.take(Stored{persist.ticket});
        parts.held.on(std::get<after_write::AskedStored>(*then));
    }
    return !parts.take_sent<Get>().empty();
}

/// Announces a new version every minute. @return how many bytes of them were fetched
std::uint64_t fetched_within(Parts& parts, std::chrono::minutes time, std::uint32_t bytes) {
    static std::uint64_t version = 0;
    std::uint64_t fetched = 0;
    for (minutes passed{0}; passed < time; passed += minutes(1)) {
        if (is_fetched(parts, have_of_size(parts, ++version, bytes))) fetched += bytes;
        parts.pass(minutes(1));
    }
    return fetched;
}

}  // namespace

TEST_CASE("one neighbour that publishes the largest seed every minute makes us write 64 MiB a day") {
    Parts parts;
    parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    const auto burst = fetched_within(parts, hours(1), kLargest);
    CHECK(burst <= kSeedWriteBurst);
    CHECK(burst >= 4 * kMaxSeedBytes);
    constexpr int kDays = 4;
    const auto fetched = fetched_within(parts, kDays * hours(24), kLargest);
    CHECK(static_cast<double>(fetched) <= kDays * kSeedWriteBytesPerDay);
    CHECK(static_cast<double>(fetched) > 0.8 * kDays * kSeedWriteBytesPerDay);
}

TEST_CASE("tiny versions count as well, and so does their number") {
    Parts parts;
    parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    const auto versions = fetched_within(parts, hours(24), 1000) / 1000;
    const auto most = (kSeedWriteBurst + kSeedWriteBytesPerDay) / kSeedWriteOverhead;
    CHECK(static_cast<double>(versions) <= most);
    int at_once = 0;
    for (int i = 0; i < 100; ++i)
        at_once += is_fetched(parts, have_of_size(parts, 100'000 + i, 1000)) ? 1 : 0;
    CHECK(at_once <= kNewSeedBurst);
}

TEST_CASE("the control: an honest neighbour is never put off") {
    Parts parts;
    parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    SUBCASE("that forgets ten records in a row, each with a new seed of 1 MiB, once a day") {
        for (std::uint64_t day = 0; day < 30; ++day) {
            for (std::uint64_t i = 1; i <= 10; ++i)
                REQUIRE(is_fetched(parts, have_of_size(parts, 10 * day + i, 1024 * 1024)));
            parts.pass(hours(24));
        }
    }
    SUBCASE("that learns again every six hours, and publishes a seed of 12 MiB") {
        for (std::uint64_t version = 1; version <= 120; ++version) {
            REQUIRE(is_fetched(parts, have_of_size(parts, version, 12 * 1024 * 1024)));
            parts.pass(hours(6));
        }
    }
    CHECK(parts.context.counters.messages_ignored == 0);
}

TEST_CASE("what was put off comes with a later announcement") {
    Parts parts;
    parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    for (std::uint64_t version = 1; version <= 4; ++version)
        CHECK(is_fetched(parts, have_of_size(parts, version, kLargest)));
    CHECK_FALSE(is_fetched(parts, have_of_size(parts, 5, kLargest)));
    CHECK_FALSE(is_fetched(parts, have_of_size(parts, 5, kLargest)));
    parts.pass(hours(7));
    CHECK(is_fetched(parts, have_of_size(parts, 5, kLargest)));
}

TEST_CASE("leases that come faster than an honest owner renews are used but not stored") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    const auto stored_of = [&parts](int leases, std::chrono::seconds apart) {
        static std::uint64_t number = 1;
        int stored = 0;
        for (int i = 0; i < leases; ++i) {
            REQUIRE(parts.held.take_have(1, parts.sessions.at(1), parts.have_of(parts.peer, 1, ++number)));
            for (const auto& persist : parts.take<Persist>()) {
                ++stored;
                const auto then = parts.writes.take(Stored{persist.ticket});
                parts.held.on(std::get<after_write::HeldLeaseStored>(*then));
            }
            parts.pass(apart);
        }
        return stored;
    };
    // The control: one an hour, and a few more because the owner starts again and again.
    CHECK(stored_of(200, hours(1)) == 200);
    CHECK(stored_of(20, std::chrono::seconds(1)) == 20);
    // A flood: the burst, and then four an hour.
    CHECK(stored_of(2000, std::chrono::seconds(1)) <= kLeaseWriteBurst + kLeaseWritesPerRenewal);
    CHECK(parts.held.may_use(parts.peer.id(), SeedVersion{1}));
    CHECK(parts.held.status().at(0).lease_until > parts.context.now.wall + hours(23));
}

TEST_CASE("an owner that equivocates without end fills neither the disk nor the log") {
    Parts parts;
    std::uint64_t version = 1;
    parts.hold_seed_of(parts.peer, 1, version);
    std::size_t written = 0;
    std::size_t reported = 0;
    for (int i = 0; i < 100; ++i) {
        for (const std::uint8_t fill : {8, 9})
            REQUIRE(
                parts.held.take_have(1, parts.sessions.at(1), parts.have_of(parts.peer, version, 9, fill)));
        for (const auto& effect : std::exchange(parts.context.effects, {})) {
            written += std::holds_alternative<Persist>(effect) ? 1 : 0;
            const auto* event = std::get_if<Event>(&effect);
            reported += event != nullptr && event->kind == EventKind::equivocation ? 1 : 0;
        }
        ++version;
        parts.announce(1, parts.sessions.at(1), parts.have_of(parts.peer, version, version));
        REQUIRE(
            parts.held.take_chunk(1, parts.sessions.at(1), Chunk{SeedVersion{version}, 0, Bytes(1000, 7)}));
        parts.held.on(SeedChecked{parts.peer.id(), SeedVersion{version}, std::nullopt, std::nullopt});
        parts.held.on(parts.store<after_write::SeedStored>());
        parts.context.effects.clear();
        parts.pass(hours(1));
    }
    CHECK(written == kMaxEquivocationsKept);
    CHECK(reported == kMaxEquivocationsKept);
}
