#include <memory>

#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

TEST_CASE("what follows a write happens once, when it is durable") {
    Parts parts;
    parts.writes.persist({ClearRestored{}}, after_write::RetirementStored{"why"});
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    CHECK_FALSE(parts.writes.take(Stored{asked[0].ticket + 1}));
    const auto then = parts.writes.take(Stored{asked[0].ticket});
    REQUIRE(then);
    CHECK(std::get<after_write::RetirementStored>(*then).reason == "why");
    CHECK_FALSE(parts.writes.take(Stored{asked[0].ticket}));
    CHECK(parts.writes.size() == 0);
}

TEST_CASE("a write that fails is tried again after a while, with the same ticket, until it succeeds") {
    Parts parts;
    parts.writes.persist({ClearRestored{}}, after_write::Nothing{});
    const Ticket ticket = parts.take<Persist>().at(0).ticket;
    for (int i = 0; i < 3; ++i) {
        parts.writes.fail(StoreFailed{ticket, "disk full"});
        CHECK(parts.take_events() == std::vector{EventKind::store_failed});
        parts.pass(kStoreRetry / 2);
        parts.writes.tick();
        CHECK(parts.take<Persist>().empty());
        parts.pass(kStoreRetry / 2);
        parts.writes.tick();
        const auto again = parts.take<Persist>();
        REQUIRE(again.size() == 1);
        CHECK(again[0].ticket == ticket);
        CHECK(again[0].ops.size() == 1);
        parts.writes.tick();
        CHECK(parts.take<Persist>().empty());
    }
    CHECK(parts.context.counters.store_failures == 3);
    CHECK(parts.writes.take(Stored{ticket}));
}

TEST_CASE("a write that is not wanted any more is forgotten with its bytes, unless storage has it") {
    Parts parts;
    const auto bytes = std::make_shared<const SeedBytes>(Bytes(64, 7));
    const std::weak_ptr<const SeedBytes> kept = bytes;
    parts.writes.persist({PutHeldSeed{parts.peer.id(), SeedVersion{1}, {}, bytes}},
                         after_write::SeedStored{parts.peer.id(), SeedVersion{1}});
    const Ticket ticket = parts.take<Persist>().at(0).ticket;
    parts.is_wanted = [](const AfterWrite& then) {
        return !std::holds_alternative<after_write::SeedStored>(then);
    };
    parts.writes.forget_unwanted();
    CHECK(parts.writes.size() == 1);  // storage is at it: what follows has to wait for its answer
    parts.writes.fail(StoreFailed{ticket, "disk full"});
    CHECK(parts.take_events() == std::vector{EventKind::store_failed});
    parts.writes.forget_unwanted();
    CHECK(parts.writes.size() == 0);
    CHECK(kept.use_count() == 1);
    parts.pass(kStoreRetry);
    parts.writes.tick();
    CHECK(parts.take<Persist>().empty());
    CHECK_FALSE(parts.writes.take(Stored{ticket}));
}

TEST_CASE("writes of one thing keep their order when the first of them fails, and others overtake them") {
    Parts parts;
    const NodeId peer = parts.peer.id();
    parts.writes.persist({PutPeer{peer, "tcp://10.0.0.1:1", false}}, after_write::Nothing{});
    parts.writes.persist({PutPeer{peer, "tcp://10.0.0.1:1", true}}, after_write::Nothing{});
    parts.writes.persist({PutPeer{parts.other.id(), std::nullopt, false}}, after_write::Nothing{});
    auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 2);  // the removal waits for the addition
    const Ticket addition = asked[0].ticket;
    CHECK(std::get<PutPeer>(asked[1].ops[0]).peer == parts.other.id());
    parts.writes.fail(StoreFailed{addition, "disk full"});
    CHECK(parts.take<Persist>().empty());
    parts.pass(kStoreRetry);
    parts.writes.tick();
    asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].ticket == addition);
    CHECK(parts.writes.take(Stored{addition}));
    asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    CHECK(std::get<PutPeer>(asked[0].ops[0]).former);
    CHECK(parts.writes.take(Stored{asked[0].ticket}));
    CHECK(parts.writes.size() == 1);
}

TEST_CASE("a write of several things waits for all of them, and only for the one before it") {
    Parts parts;
    const NodeId a = parts.peer.id();
    const NodeId b = parts.other.id();
    parts.writes.persist({EraseHeldSeed{a}}, after_write::SeedErased{a});
    parts.writes.persist({EraseHeldSeed{b}}, after_write::SeedErased{b});
    parts.writes.persist({EraseHeldSeed{a}, EraseHeldSeed{b}}, after_write::AllErased{});
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 2);
    CHECK(parts.writes.take(Stored{asked[1].ticket}));
    CHECK(parts.take<Persist>().empty());
    CHECK(parts.writes.take(Stored{asked[0].ticket}));
    CHECK(parts.take<Persist>().size() == 1);
}
