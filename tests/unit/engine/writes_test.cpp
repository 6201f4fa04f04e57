#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

const auto all = [](const AfterWrite&) { return true; };

}  // namespace

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
        parts.writes.tick(all);
        CHECK(parts.take<Persist>().empty());
        parts.pass(kStoreRetry / 2);
        parts.writes.tick(all);
        const auto again = parts.take<Persist>();
        REQUIRE(again.size() == 1);
        CHECK(again[0].ticket == ticket);
        CHECK(again[0].ops.size() == 1);
        parts.writes.tick(all);
        CHECK(parts.take<Persist>().empty());
    }
    CHECK(parts.context.counters.store_failures == 3);
    CHECK(parts.writes.take(Stored{ticket}));
}

TEST_CASE("a write that is not wanted any more is forgotten instead of being tried again") {
    Parts parts;
    parts.writes.persist({EraseHeldSeed{parts.peer.id()}}, after_write::SeedErased{parts.peer.id()});
    const Ticket ticket = parts.take<Persist>().at(0).ticket;
    parts.writes.fail(StoreFailed{ticket, "disk full"});
    parts.pass(kStoreRetry);
    parts.writes.tick([](const AfterWrite&) { return false; });
    CHECK(parts.take<Persist>().empty());
    CHECK(parts.writes.size() == 0);
    CHECK_FALSE(parts.writes.take(Stored{ticket}));
}
