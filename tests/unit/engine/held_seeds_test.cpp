#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

TEST_CASE("a seed goes into use when it is announced, fetched, checked and stored, and no step earlier") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    const NodeId owner = parts.peer.id();
    parts.context.effects.clear();
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 1, 1)));
    // Our receipt will say what we asked for, so that is on record before the first request.
    CHECK(parts.held.highest_asked(owner) == SeedVersion{1});
    const auto effects = parts.context.effects;
    CHECK(parts.take_sent<Get>().empty());
    parts.context.effects = effects;
    parts.held.on(parts.store<after_write::AskedStored>());
    CHECK(parts.take_sent<Get>().size() == 1);
    REQUIRE(parts.held.take_chunk(1, session, Chunk{SeedVersion{1}, 0, Bytes(1000, 7)}));
    CHECK(parts.take<CheckSeed>().size() == 1);
    CHECK_FALSE(parts.erasures.may_be_on_disk(owner));
    parts.held.on(SeedChecked{owner, SeedVersion{1}, std::nullopt, std::nullopt});
    // From now on there may be a trace of it on disk.
    CHECK(parts.erasures.may_be_on_disk(owner));
    CHECK_FALSE(parts.held.may_use(owner, SeedVersion{1}));
    const auto stored = parts.store<after_write::SeedStored>();
    CHECK(parts.held.in_use().empty());
    parts.held.on(stored);
    CHECK(parts.take<InstallSeed>().size() == 1);
    CHECK(parts.held.in_use() == std::map<NodeId, SeedVersion>{{owner, SeedVersion{1}}});
}

TEST_CASE("the gate is asked at every step") {
    Parts parts;
    const NodeId owner = parts.peer.id();
    Session& session = parts.connect(parts.peer, 1);
    const auto have = parts.have_of(parts.peer, 1, 1);
    SUBCASE("at the announcement") {
        parts.facts.owner_exited = true;
        REQUIRE(parts.held.take_have(1, session, have));
        CHECK(parts.held.downloads() == 0);
    }
    SUBCASE("at a chunk") {
        REQUIRE(parts.held.take_have(1, session, have));
        parts.facts.owner_exited = true;
        REQUIRE(parts.held.take_chunk(1, session, Chunk{SeedVersion{1}, 0, Bytes(1000, 7)}));
        CHECK(parts.held.candidates() == 0);
    }
    SUBCASE("before it is stored") {
        parts.announce(1, session, have);
        REQUIRE(parts.held.take_chunk(1, session, Chunk{SeedVersion{1}, 0, Bytes(1000, 7)}));
        parts.facts.we_are_exiting = true;
        parts.held.on(SeedChecked{owner, SeedVersion{1}, std::nullopt, std::nullopt});
        CHECK(parts.take<Persist>().empty());
    }
    SUBCASE("after it is stored") {
        parts.announce(1, session, have);
        REQUIRE(parts.held.take_chunk(1, session, Chunk{SeedVersion{1}, 0, Bytes(1000, 7)}));
        parts.held.on(SeedChecked{owner, SeedVersion{1}, std::nullopt, std::nullopt});
        parts.facts.removed = true;
        parts.held.on(parts.store<after_write::SeedStored>());
    }
    CHECK(parts.held.owners_in_place().empty());
    CHECK(parts.take<InstallSeed>().empty());
    CHECK_FALSE(parts.held.may_use(owner, SeedVersion{1}));
}

TEST_CASE("what was not asked for is an offence, what comes late is not") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    const auto unsolicited = parts.held.take_chunk(1, session, Chunk{SeedVersion{1}, 0, Bytes(10, 7)});
    REQUIRE_FALSE(unsolicited);
    CHECK(unsolicited.error().code == ErrorCode::unsolicited);
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 2, 1)));
    CHECK(parts.held.take_chunk(1, session, Chunk{SeedVersion{1}, 0, Bytes(10, 7)}));
    const auto wrong = parts.held.take_chunk(1, session, Chunk{SeedVersion{2}, 0, Bytes(1000, 8)});
    REQUIRE_FALSE(wrong);
    CHECK(parts.held.downloads() == 0);
}

TEST_CASE("two records of one version prove that the owner equivocates; the first one stays") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    Session& session = parts.sessions.at(1);
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 1, 2, 8)));
    CHECK(parts.held.equivocations() == 1);
    CHECK(parts.held.downloads() == 0);
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    CHECK(std::holds_alternative<PutEquivocation>(asked[0].ops.at(0)));
    CHECK(parts.held.may_use(parts.peer.id(), SeedVersion{1}));
    // The same proof once more is kept once, and reported once.
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 1, 2, 8)));
    CHECK(parts.context.effects.empty());
}

TEST_CASE("an owner that equivocated, as a copy of it may, is followed to its next version") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1, 3);
    Session& session = parts.sessions.at(1);
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 3, 4, 8)));
    REQUIRE(parts.held.equivocations() == 1);
    parts.context.effects.clear();
    // The lease numbers of a copy may have begun anew, too.
    parts.announce(1, session, parts.have_of(parts.peer, 7, 1, 8));
    REQUIRE(parts.take_sent<Get>().size() == 1);
    REQUIRE(parts.held.take_chunk(1, session, Chunk{SeedVersion{7}, 0, Bytes(1000, 8)}));
    parts.held.on(SeedChecked{parts.peer.id(), SeedVersion{7}, std::nullopt, std::nullopt});
    parts.held.on(parts.store<after_write::SeedStored>());
    CHECK(parts.held.may_use(parts.peer.id(), SeedVersion{7}));
    CHECK(parts.held.equivocations() == 1);
}

TEST_CASE("a seed whose lease ends goes out of use, and comes back with the next lease") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    const NodeId owner = parts.peer.id();
    parts.pass(parts.context.config.lease_time);
    parts.held.refresh_all();
    CHECK(parts.take<SuspendSeed>().size() == 1);
    CHECK(parts.held.status().at(0).state == SeedState::lease_ended);
    REQUIRE(parts.held.take_have(1, parts.sessions.at(1), parts.have_of(parts.peer, 1, 1)));
    CHECK_FALSE(parts.held.may_use(owner, SeedVersion{1}));  // a replay of the lease that ended
    REQUIRE(parts.held.take_have(1, parts.sessions.at(1), parts.have_of(parts.peer, 1, 2)));
    CHECK(parts.take<InstallSeed>().size() == 1);
    CHECK(parts.held.may_use(owner, SeedVersion{1}));
}

TEST_CASE("a clock that stands still prolongs no lease") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    parts.context.now.steady += parts.context.config.lease_time;
    parts.held.refresh_all();
    CHECK(parts.take<SuspendSeed>().size() == 1);
    CHECK_FALSE(parts.held.may_use(parts.peer.id(), SeedVersion{1}));
}

TEST_CASE("what is loaded from disk waits until somebody is heard who knows of exits") {
    Parts parts;
    parts.facts.unvouched = true;
    const auto have = parts.have_of(parts.peer, 1, 1);
    LoadedState state;
    state.held_seeds.push_back({parts.peer.id(), SeedVersion{1}, have.record, Parts::bytes(1000)});
    state.held_leases.push_back({parts.peer.id(), 1, parts.context.now.wall + std::chrono::hours(1)});
    parts.held.load(state);
    CHECK(parts.erasures.may_be_on_disk(parts.peer.id()));
    parts.held.start();
    parts.held.on(SeedChecked{parts.peer.id(), SeedVersion{1}, std::nullopt, std::nullopt});
    parts.held.on(parts.store<after_write::SeedStored>());
    CHECK(parts.held.status().at(0).state == SeedState::quarantined);
    // A newer lease says only that its owner is there.
    REQUIRE(parts.held.take_have(1, parts.connect(parts.peer, 1), parts.have_of(parts.peer, 1, 2)));
    CHECK(parts.held.in_use().empty());
    parts.facts.unvouched = false;
    parts.held.refresh_all();
    CHECK(parts.held.in_use().size() == 1);
}

TEST_CASE("to stop using a seed forgets it wherever it is") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    CHECK(parts.held.stop_using(parts.other.id()) == SeedVersion{0});
    CHECK(parts.take<DropSeed>().empty());
    REQUIRE(parts.held.take_have(1, parts.sessions.at(1), parts.have_of(parts.peer, 2, 2)));
    CHECK(parts.held.downloads() == 1);
    CHECK(parts.held.stop_using(parts.peer.id()) == SeedVersion{1});
    CHECK(parts.take<DropSeed>().size() == 1);
    CHECK(parts.held.downloads() == 0);
    CHECK_FALSE(parts.held.has(parts.peer.id()));
}

TEST_CASE("a seed that is judged unusable is refused for good, and its owner is cut off") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    const auto have = parts.have_of(parts.peer, 1, 1);
    parts.announce(1, session, have);
    REQUIRE(parts.held.take_chunk(1, session, Chunk{SeedVersion{1}, 0, Bytes(1000, 7)}));
    parts.held.on(SeedChecked{parts.peer.id(), SeedVersion{1}, "not finite", std::nullopt});
    CHECK(parts.sessions.find(1) == nullptr);
    Session& again = parts.connect(parts.peer, 2);
    REQUIRE(parts.held.take_have(2, again, have));
    CHECK(parts.held.downloads() == 0);
    REQUIRE(parts.held.take_have(2, again, parts.have_of(parts.peer, 2, 2)));
    CHECK(parts.held.downloads() == 1);
}

TEST_CASE("a lease that can never be stored ends, and the seed waits for the next one") {
    Parts parts;
    const NodeId owner = parts.peer.id();
    parts.hold_seed_of(parts.peer, 1);
    REQUIRE(parts.held.take_have(1, parts.sessions.at(1), parts.have_of(parts.peer, 1, 2)));
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    const auto never = parts.writes.fail(StoreFailed{asked[0].ticket, "it does not fit", true});
    REQUIRE(never);
    parts.held.give_up(std::get<after_write::HeldLeaseStored>(*never), "it does not fit");
    CHECK_FALSE(parts.held.may_use(owner, SeedVersion{1}));
    CHECK(parts.held.status().at(0).state == SeedState::lease_ended);
    REQUIRE(parts.held.take_have(1, parts.sessions.at(1), parts.have_of(parts.peer, 1, 2)));
    CHECK_FALSE(parts.held.may_use(owner, SeedVersion{1}));
    REQUIRE(parts.held.take_have(1, parts.sessions.at(1), parts.have_of(parts.peer, 1, 3)));
    CHECK(parts.held.may_use(owner, SeedVersion{1}));
    CHECK(parts.take<Persist>().size() == 1);
}
