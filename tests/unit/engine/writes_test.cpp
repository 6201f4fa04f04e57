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

namespace {

/// Storage says that the write failed, and that this may pass.
void fail(Parts& parts, Ticket ticket) {
    CHECK_FALSE(parts.writes.fail(StoreFailed{ticket, "disk full"}));
}

/// Lets time pass in ticks. @return when writes were asked for, in seconds from now
std::vector<int> asked_within(Parts& parts, int seconds, bool fails = true) {
    std::vector<int> asked;
    for (int second = 1; second <= seconds; ++second) {
        parts.pass(std::chrono::seconds(1));
        parts.writes.tick();
        for (const auto& persist : parts.take<Persist>()) {
            asked.push_back(second);
            if (fails) static_cast<void>(parts.writes.fail(StoreFailed{persist.ticket, "disk full"}));
        }
    }
    return asked;
}

}  // namespace

TEST_CASE("a write that fails is tried again, with the same ticket and ever more rarely, until it succeeds") {
    Parts parts;
    parts.writes.persist({ClearRestored{}}, after_write::Nothing{});
    const Ticket ticket = parts.take<Persist>().at(0).ticket;
    fail(parts, ticket);
    CHECK(asked_within(parts, 250) == std::vector{1, 3, 7, 15, 31, 63, 123, 183, 243});
    CHECK(parts.context.counters.store_failures == 10);
    parts.pass(kStoreRetryMost);
    parts.writes.tick();
    const auto again = parts.take<Persist>();
    REQUIRE(again.size() == 1);
    CHECK(again[0].ticket == ticket);
    CHECK(again[0].ops.size() == 1);
    parts.writes.tick();
    CHECK(parts.take<Persist>().empty());
    CHECK(parts.writes.take(Stored{ticket}));
}

TEST_CASE("what failed is tried again at once when another write succeeds") {
    Parts parts;
    parts.writes.persist({ClearRestored{}}, after_write::Nothing{});
    const Ticket ticket = parts.take<Persist>().at(0).ticket;
    fail(parts, ticket);
    REQUIRE(asked_within(parts, 40).back() == 31);  // not due again before second 63
    parts.writes.persist({PutPeer{parts.peer.id(), std::nullopt, false}}, after_write::Nothing{});
    const Ticket other = parts.take<Persist>().at(0).ticket;
    CHECK(asked_within(parts, 5).empty());
    REQUIRE(parts.writes.take(Stored{other}));
    parts.writes.tick();
    const auto again = parts.take<Persist>();
    REQUIRE(again.size() == 1);
    CHECK(again[0].ticket == ticket);
    // One that fails all the same is not tried without a pause while others succeed.
    fail(parts, ticket);
    parts.writes.persist({PutPeer{parts.other.id(), std::nullopt, false}}, after_write::Nothing{});
    REQUIRE(parts.writes.take(Stored{parts.take<Persist>().at(0).ticket}));
    parts.writes.tick();
    CHECK(parts.take<Persist>().empty());
    CHECK(asked_within(parts, 1, false) == std::vector{1});
}

TEST_CASE("a failing disk is told of once, then at growing intervals, and once when it works again") {
    Parts parts;
    parts.writes.persist({ClearRestored{}}, after_write::Nothing{});
    const Ticket ticket = parts.take<Persist>().at(0).ticket;
    std::vector<std::string> told;
    const auto collect = [&] {
        for (const auto& effect : std::exchange(parts.context.effects, {}))
            if (const auto* event = std::get_if<Event>(&effect))
                told.push_back(std::string(name_of(event->kind)) + ": " + event->detail);
    };
    constexpr int kHours = 24;
    for (int second = 0; second < kHours * 3600; ++second) {
        fail(parts, ticket);  // nothing happens while the write is not asked for
        parts.pass(std::chrono::seconds(1));
        parts.writes.tick();
        collect();
    }
    REQUIRE(told.size() > 5);
    CHECK(told.size() < kHours + 10);
    CHECK(told[0] == "store-failed: disk full");
    CHECK(told[1] == "store-failed: disk full (7 failed writes in 63 s)");
    told.clear();
    parts.pass(kStoreRetryMost);
    parts.writes.tick();
    REQUIRE(parts.writes.take(Stored{ticket}));
    collect();
    REQUIRE(told.size() == 1);
    CHECK(told[0].starts_with("store-recovered: after "));
    // The control: a write that succeeds is nothing to tell of.
    parts.writes.persist({ClearRestored{}}, after_write::Nothing{});
    REQUIRE(parts.writes.take(Stored{parts.take<Persist>().at(0).ticket}));
    CHECK(parts.context.effects.empty());
}

TEST_CASE("the disk does not work again while one of two failed writes still fails") {
    Parts parts;
    parts.writes.persist({ClearRestored{}}, after_write::Nothing{});
    parts.writes.persist({PutPeer{parts.peer.id(), std::nullopt, false}}, after_write::Nothing{});
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 2);
    for (const auto& persist : asked)
        fail(parts, persist.ticket);
    CHECK(parts.take_events() == std::vector{EventKind::store_failed});
    parts.pass(kStoreRetryFirst);
    parts.writes.tick();
    REQUIRE(parts.take<Persist>().size() == 2);
    REQUIRE(parts.writes.take(Stored{asked[0].ticket}));
    CHECK(parts.take_events().empty());
    REQUIRE(parts.writes.take(Stored{asked[1].ticket}));
    CHECK(parts.take_events() == std::vector{EventKind::store_recovered});
}

TEST_CASE("a seed of our own that cannot be stored yet is told of also while the disk fails already") {
    Parts parts;
    parts.writes.persist({ClearRestored{}}, after_write::Nothing{});
    fail(parts, parts.take<Persist>().at(0).ticket);
    parts.context.effects.clear();
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    const Ticket ticket = parts.take<Persist>().at(0).ticket;
    fail(parts, ticket);
    CHECK(parts.take_events() == std::vector{EventKind::store_failed});
    parts.pass(kStoreRetryFirst);
    parts.writes.tick();
    parts.context.effects.clear();
    fail(parts, ticket);
    CHECK(parts.take_events().empty());
}

TEST_CASE("what a peer sent and can never be stored is given up, and what waited for it goes on") {
    Parts parts;
    const NodeId peer = parts.peer.id();
    parts.writes.persist({PutHeldSeed{peer, SeedVersion{1}, {}, Parts::bytes(10)}, PutHeldLease{peer, 1, {}}},
                         after_write::SeedStored{peer, SeedVersion{1}});
    parts.writes.persist({EraseHeldSeed{peer}}, after_write::SeedErased{peer});
    const Ticket ticket = parts.take<Persist>().at(0).ticket;
    const auto never = parts.writes.fail(StoreFailed{ticket, "too large", true});
    REQUIRE(never);
    CHECK(std::get<after_write::SeedStored>(*never).owner == peer);
    const auto next = parts.take<Persist>();
    REQUIRE(next.size() == 1);
    CHECK(std::holds_alternative<EraseHeldSeed>(next[0].ops.at(0)));
    CHECK(asked_within(parts, 200).empty());
    CHECK(parts.writes.size() == 1);
}

TEST_CASE(
    "a promise that can never be stored is neither forgotten nor followed by anything, and ends the node") {
    Parts parts;
    const NodeId peer = parts.peer.id();
    const std::vector<StoreOp> promises{
        PutTombstone{peer, {}, {}}, EraseHeldSeed{peer}, PutRecipient{peer, {}, {}}, PutReceipt{peer, {}},
        PutExiting{{}, false},      PutOwnLease{1, {}},  PutLeftReceipt{peer, {}},   PutRetired{"over"},
        PutPeer{peer, {}, true},    ClearRestored{},     PutOwnSeed{{}, {}, {}}};
    for (const StoreOp& promise : promises) {
        Parts fresh;
        // Together with something of a peer, too.
        fresh.writes.persist({promise, PutEquivocation{peer, {}, {}, {}}}, after_write::Nothing{});
        const Ticket ticket = fresh.take<Persist>().at(0).ticket;
        CHECK_FALSE(fresh.writes.fail(StoreFailed{ticket, "no such column", true}));
        CHECK(fresh.take_events() == std::vector{EventKind::store_impossible});
        CHECK(asked_within(fresh, 200).empty());
        CHECK(fresh.writes.size() == 1);
        CHECK(fresh.context.effects.empty());
    }
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
    fail(parts, ticket);
    CHECK(parts.take_events() == std::vector{EventKind::store_failed});
    parts.writes.forget_unwanted();
    CHECK(parts.writes.size() == 0);
    CHECK(kept.use_count() == 1);
    parts.pass(kStoreRetryFirst);
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
    fail(parts, addition);
    CHECK(parts.take<Persist>().empty());
    parts.pass(kStoreRetryFirst);
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
