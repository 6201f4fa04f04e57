#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

/// Publishes a seed of 1000 bytes, durably.
void publish(Parts& parts) {
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    parts.own_seed.on(parts.store<after_write::OwnSeedStored>());
}

constexpr Get first_chunk(std::uint64_t version) {
    return {SeedVersion{version}, 0, 1};
}

}  // namespace

TEST_CASE("a seed is announced once it is durable, and each version is used once") {
    Parts parts;
    parts.connect(parts.peer, 1);
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    CHECK_FALSE(parts.own_seed.status());
    const auto stored = parts.store<after_write::OwnSeedStored>();
    CHECK(stored.version == SeedVersion{1});
    parts.own_seed.on(stored);
    CHECK(parts.take_sent<Have>().size() == 1);
    CHECK(parts.own_seed.status()->version == SeedVersion{1});
    publish(parts);
    CHECK(parts.own_seed.status()->version == SeedVersion{2});
}

TEST_CASE("who may hold the seed is on record before the first byte of it leaves") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    publish(parts);
    parts.context.effects.clear();
    REQUIRE(parts.own_seed.take_get(1, session, first_chunk(1)));
    CHECK(parts.own_seed.recipients().empty());
    CHECK(parts.own_seed.waiting_gets() == 1);
    const auto effects = parts.context.effects;
    CHECK(parts.take<Send>().empty());
    parts.context.effects = effects;
    parts.own_seed.on(parts.store<after_write::RecipientStored>());
    CHECK(parts.own_seed.recipients().contains(parts.peer.id()));
    CHECK(parts.take_sent<Chunk>().size() == 1);
    CHECK(parts.own_seed.waiting_gets() == 0);
    // It is on record now: the next one is served at once.
    REQUIRE(parts.own_seed.take_get(1, session, first_chunk(1)));
    CHECK(parts.take_sent<Chunk>().size() == 1);
}

TEST_CASE("a longer lease of a recipient is on record before it is announced") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    publish(parts);
    parts.context.effects.clear();
    REQUIRE(parts.own_seed.take_get(1, session, first_chunk(1)));
    parts.own_seed.on(parts.store<after_write::RecipientStored>());
    const auto before = parts.own_seed.recipients().at(parts.peer.id()).lease_until;
    parts.pass(std::chrono::hours(2));
    parts.context.effects.clear();
    parts.own_seed.renew_lease_when_due();
    parts.own_seed.on(parts.store<after_write::OwnLeaseStored>());
    const auto effects = parts.context.effects;
    CHECK(parts.take_sent<Have>().empty());
    parts.context.effects = effects;
    parts.own_seed.on(parts.store<after_write::RecipientStored>());
    CHECK(parts.own_seed.recipients().at(parts.peer.id()).lease_until > before);
    CHECK(parts.take_sent<Have>().size() == 1);
}

TEST_CASE("requests that no honest peer makes are refused, and an old version is said to be gone") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    publish(parts);
    const auto beyond = parts.own_seed.take_get(1, session, Get{SeedVersion{1}, 0, 2});
    REQUIRE_FALSE(beyond);
    CHECK(beyond.error().code == ErrorCode::malformed);
    parts.context.effects.clear();
    REQUIRE(parts.own_seed.take_get(1, session, first_chunk(9)));
    const auto nacks = parts.take_sent<Nack>();
    REQUIRE(nacks.size() == 1);
    CHECK(nacks[0].reason == NackReason::no_such_version);
    // The disk hangs: so many may wait, and no more.
    for (std::size_t i = 0; i < kMaxWaitingGets; ++i)
        REQUIRE(parts.own_seed.take_get(1, session, first_chunk(1)));
    const auto one_more = parts.own_seed.take_get(1, session, first_chunk(1));
    REQUIRE_FALSE(one_more);
    CHECK(one_more.error().code == ErrorCode::too_large);
    // Those of another session are counted for themselves, and an ended one leaves nothing.
    parts.own_seed.forget(1);
    CHECK(parts.own_seed.waiting_gets() == 0);
}

TEST_CASE("a seed that is withdrawn is neither published, served, announced nor renewed") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    publish(parts);
    parts.context.effects.clear();
    parts.own_seed.withdraw();
    parts.own_seed.announce_to(1, session);
    parts.own_seed.renew_lease();
    CHECK(parts.context.effects.empty());
    REQUIRE(parts.own_seed.take_get(1, session, first_chunk(1)));
    CHECK(parts.take_sent<Nack>().size() == 1);
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    CHECK(parts.take_events() == std::vector{EventKind::seed_refused});
}

TEST_CASE("after a restore all versions and leases are skipped that may be out") {
    Parts parts;
    LoadedState state;
    state.last_own_version = SeedVersion{5};
    state.own_lease = PutOwnLease{9, parts.context.now.wall};
    parts.own_seed.load(state);
    std::uint64_t above_version = 0;
    std::uint64_t above_lease = 0;
    SUBCASE("to the seconds since 1970") {
        above_version = above_lease = 1'000'000;
    }
    SUBCASE("by a million where the clock is behind") {
        parts.context.now.wall = WallTime{};
        above_version = 5 + kVersionsSkippedByRestore;
        above_lease = 9 + kVersionsSkippedByRestore;
    }
    CHECK(parts.own_seed.skip_versions_after_restore());
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    const auto stored = parts.store<after_write::OwnSeedStored>();
    CHECK(static_cast<std::uint64_t>(stored.version) == above_version + 1);
    CHECK(stored.lease.number == above_lease + 1);
    // The control: a node that never published has nothing to skip.
    Parts fresh;
    CHECK_FALSE(fresh.own_seed.skip_versions_after_restore());
}

TEST_CASE("when others turn out to have seen more of us, we go on above that and publish our seed again") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    publish(parts);
    const auto old_lease = parts.own_seed.status()->lease_until;
    parts.context.effects.clear();
    parts.pass(std::chrono::hours(1));
    parts.own_seed.go_on_above_others();
    // The old version is served no more, and the new one is not out before it is durable.
    const auto asked = parts.context.effects;
    REQUIRE(parts.own_seed.take_get(1, session, first_chunk(1)));
    CHECK(parts.take_sent<Nack>().size() == 1);
    parts.context.effects = asked;
    const auto stored = parts.store<after_write::OwnSeedStored>();
    const auto version = static_cast<std::uint64_t>(stored.version);
    const auto now = static_cast<std::uint64_t>(parts.context.now.wall.time_since_epoch().count());
    CHECK(version == now + 1);
    CHECK(stored.lease.number == now + 1);
    parts.own_seed.on(stored);
    const auto announced = parts.take_sent<Have>();
    REQUIRE(announced.size() == 1);
    const auto record = verify_record(parts.self.id(), parts.network(), announced[0].record);
    REQUIRE(record);
    CHECK(record->version == stored.version);
    CHECK(record->architecture == "linear");
    CHECK(record->payload_bytes == 1000);
    CHECK(parts.own_seed.status()->lease_until > old_lease);
    REQUIRE(parts.own_seed.take_get(1, session, first_chunk(version)));
    parts.own_seed.on(parts.store<after_write::RecipientStored>());
    CHECK(parts.take_sent<Chunk>().size() == 1);
    // Another neighbour finds out, too. No version is used twice, and none is skipped: a state that is
    // restored later must come out above them by the seconds alone.
    parts.own_seed.go_on_above_others();
    CHECK(static_cast<std::uint64_t>(parts.store<after_write::OwnSeedStored>().version) == version + 1);
}

TEST_CASE("without a seed of our own only the next one is numbered above what others saw") {
    Parts parts;
    parts.context.now.wall = WallTime{std::chrono::seconds(1'800'000'000)};
    parts.own_seed.go_on_above_others();
    CHECK(parts.context.effects.empty());
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    CHECK(static_cast<std::uint64_t>(parts.store<after_write::OwnSeedStored>().version) > 1'800'000'000);
    // One that leaves publishes nothing.
    parts.own_seed.withdraw();
    parts.own_seed.go_on_above_others();
    CHECK(parts.context.effects.empty());
}
