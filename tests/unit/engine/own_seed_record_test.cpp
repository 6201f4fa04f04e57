#include <doctest/doctest.h>

#include "parts.hpp"

/// What is on record of our seed and its recipients when writes come late or in another order.

using namespace unlearn::testing;

namespace {

/// Version 1 is published, with a neighbour that may ask for it.
struct SeedRecorded : Parts {
    Session* session = &connect(peer, 1);

    explicit SeedRecorded(std::size_t bytes_of_seed = 1000) { publish(bytes_of_seed); }
    void publish(std::size_t bytes_of_seed = 1000) {
        context.effects.clear();
        own_seed.publish(PublishSeed{"linear", bytes(bytes_of_seed)});
        own_seed.on(store<after_write::OwnSeedStored>());
        context.effects.clear();
    }
    [[nodiscard]] Result<void> get(SessionId id, std::uint32_t count = 1) {
        return own_seed.take_get(id, *session, Get{SeedVersion{1}, 0, count});
    }
    /// A longer lease, durable once the caller says so.
    [[nodiscard]] after_write::OwnLeaseStored renew() {
        pass(std::chrono::hours(1));
        context.effects.clear();
        own_seed.renew_lease();
        return store<after_write::OwnLeaseStored>();
    }
    [[nodiscard]] WallTime recorded_end() const { return own_seed.recipients().at(peer.id()).lease_until; }
};

}  // namespace

TEST_CASE("a version is stored with the number of its first lease") {
    Parts parts;
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    const auto effects = parts.context.effects;
    const auto asked = parts.take<Persist>();
    parts.context.effects = effects;
    const auto stored = parts.store<after_write::OwnSeedStored>();
    REQUIRE(asked.size() == 1);
    REQUIRE(asked[0].ops.size() == 2);
    const auto& lease = std::get<PutOwnLease>(asked[0].ops[1]);
    CHECK(lease.number == 1);
    CHECK(lease.number == stored.lease.number);
    CHECK(lease.not_after == stored.lease.not_after);
}

TEST_CASE("a recipient of the version that comes back gets no byte before the longer lease is on record") {
    SeedRecorded parts;
    REQUIRE(parts.get(1));
    parts.own_seed.on(parts.store<after_write::RecipientStored>());
    const WallTime before = parts.recorded_end();
    parts.sessions.remove(1);
    parts.own_seed.on(parts.renew());
    parts.session = &parts.connect(parts.peer, 2);
    parts.context.effects.clear();
    REQUIRE(parts.get(2));
    const auto effects = parts.context.effects;
    CHECK(parts.take_sent<Chunk>().empty());
    parts.context.effects = effects;
    parts.own_seed.on(parts.store<after_write::RecipientStored>());
    CHECK(parts.recorded_end() == before + std::chrono::hours(1));
    CHECK(parts.take_sent<Chunk>().size() == 1);
}

TEST_CASE("a request that waits while the seed is replaced gets no byte of the new one") {
    SeedRecorded parts;
    REQUIRE(parts.get(1));
    const auto recorded = parts.store<after_write::RecipientStored>();
    parts.publish();
    parts.own_seed.on(recorded);
    const auto effects = parts.context.effects;
    CHECK(parts.take_sent<Chunk>().empty());
    parts.context.effects = effects;
    const auto nacks = parts.take_sent<Nack>();
    REQUIRE(nacks.size() == 1);
    CHECK(nacks[0].reason == NackReason::no_such_version);
    CHECK(nacks[0].about == 1);
}

TEST_CASE("the end of a lease on record never goes back, whatever order the writes come in") {
    SeedRecorded parts;
    REQUIRE(parts.get(1));
    const auto first = parts.store<after_write::RecipientStored>();
    parts.own_seed.on(parts.renew());
    parts.context.effects.clear();
    REQUIRE(parts.get(1));
    const auto second = parts.store<after_write::RecipientStored>();
    REQUIRE(second.recorded.lease_until > first.recorded.lease_until);
    parts.own_seed.on(second);
    parts.own_seed.on(first);
    CHECK(parts.recorded_end() == second.recorded.lease_until);
}

TEST_CASE("a lease that is stored after a newer one is not announced any more") {
    SeedRecorded parts;
    const auto older = parts.renew();
    const auto newer = parts.renew();
    parts.own_seed.on(newer);
    parts.context.effects.clear();
    parts.own_seed.on(older);
    CHECK(parts.context.effects.empty());
    CHECK(parts.own_seed.status()->lease_until == newer.lease.not_after);
}

TEST_CASE("one request is for 256 KiB at most") {
    SeedRecorded parts(300'000);
    const auto most = static_cast<std::uint32_t>(kMaxWindowBytes / (16 * 1024));
    const auto more = parts.get(1, most + 1);
    REQUIRE_FALSE(more);
    CHECK(more.error().code == ErrorCode::too_large);
    CHECK(parts.own_seed.waiting_gets() == 0);
    CHECK(parts.get(1, most));
}
