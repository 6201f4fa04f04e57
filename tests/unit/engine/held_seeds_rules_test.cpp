#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

/// A version of the peer's seed of which every byte has arrived, and which was not checked yet.
Session& fetch_seed_of_peer(Parts& parts, std::uint64_t version = 1) {
    Session& session = parts.connect(parts.peer, 1);
    parts.announce(1, session, parts.have_of(parts.peer, version, version));
    REQUIRE(parts.held.take_chunk(1, session, Chunk{SeedVersion{version}, 0, Bytes(1000, 7)}));
    REQUIRE(parts.held.candidates() == 1);
    parts.context.effects.clear();
    return session;
}

/// What storage gives back of the peer's seed of this version, without a lease.
LoadedState state_with_seed_of_peer(const Parts& parts, std::uint64_t version) {
    LoadedState state;
    state.held_seeds.push_back({parts.peer.id(), SeedVersion{version},
                                parts.have_of(parts.peer, version, 1).record, Parts::bytes(1000)});
    return state;
}

/// The peer's loaded seed is found good and in place.
void put_loaded_seed_in_place(Parts& parts, std::uint64_t version) {
    parts.held.start();
    parts.held.on(SeedChecked{parts.peer.id(), SeedVersion{version}, std::nullopt, std::nullopt});
    parts.held.on(parts.store<after_write::SeedStored>());
}

}  // namespace

// ---------------------------------------------------------------- the gate

TEST_CASE("nothing of an expelled owner passes the gate, whatever the places say") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    parts.facts.owner_expelled = true;
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 1, 1)));
    CHECK(parts.held.downloads() == 0);
    for (const auto point : {AdmissionPoint::announce, AdmissionPoint::fetch, AdmissionPoint::chunk,
                             AdmissionPoint::install, AdmissionPoint::load, AdmissionPoint::rebuild})
        CHECK(admit(parts.facts, point) == Admission::expelled);
}

TEST_CASE("with too many exits to remember, no further owner comes in, and those that are here stay") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    parts.facts.too_many_exits = true;
    REQUIRE(parts.held.take_have(2, parts.connect(parts.other, 2), parts.have_of(parts.other, 1, 1)));
    CHECK(parts.held.downloads() == 0);
    CHECK(parts.held.may_use(parts.peer.id(), SeedVersion{1}));
    REQUIRE(parts.held.take_have(1, parts.sessions.at(1), parts.have_of(parts.peer, 2, 2)));
    CHECK(parts.held.downloads() == 1);
    // Also after a restart: its owner was here before.
    AdmissionFacts loaded;
    loaded.too_many_exits = true;
    loaded.offered = SeedVersion{1};
    CHECK(admit(loaded, AdmissionPoint::load) == Admission::admitted);
    CHECK(admit(loaded, AdmissionPoint::install) == Admission::too_many_exits);
}

TEST_CASE("a version counts with what its transaction writes beside the seed") {
    Parts parts;
    WriteAllowances allowances(parts.context);
    for (int i = 0; i < 4; ++i)
        CHECK(allowances.take_seed(parts.peer.id(), kMaxSeedBytes));
    CHECK_FALSE(allowances.take_seed(parts.peer.id(), 1));
    // The control: another owner has room of its own.
    CHECK(allowances.take_seed(parts.other.id(), 1));
}

TEST_CASE("a proof of equivocation is kept over a restart: it is neither stored nor reported again") {
    Parts parts;
    const auto first = parts.have_of(parts.peer, 1, 1).record;
    const auto second = parts.have_of(parts.peer, 1, 1, 8).record;
    LoadedState state;
    for (std::uint64_t version = 1; version < kMaxEquivocationsKept; ++version)
        state.equivocations.push_back({parts.peer.id(), SeedVersion{version}, first, second});
    Equivocations proofs(parts.context, parts.writes);
    proofs.load(state);
    CHECK(proofs.size() == kMaxEquivocationsKept - 1);
    proofs.prove(parts.peer.id(), SeedVersion{1}, first, second);
    CHECK(parts.context.effects.empty());
    // Those of before count among the few that each owner has.
    proofs.prove(parts.peer.id(), SeedVersion{100}, first, second);
    CHECK(parts.take<Persist>().size() == 1);
    proofs.prove(parts.peer.id(), SeedVersion{101}, first, second);
    CHECK(parts.context.effects.empty());
    CHECK(proofs.size() == kMaxEquivocationsKept);
}

// ---------------------------------------------------------------- what was asked for

TEST_CASE("the highest version that was asked for is known again after a restart, also from what is held") {
    Parts parts;
    LoadedState state = state_with_seed_of_peer(parts, 3);
    state.asked = {{parts.other.id(), SeedVersion{5}}};
    SUBCASE("as it was stored") {
        state.asked.push_back({parts.peer.id(), SeedVersion{4}});
    }
    SUBCASE("as the seed shows, where a store of earlier times lacks it") {}
    const bool stored = state.asked.size() == 2;
    parts.held.load(state);
    CHECK(parts.held.highest_asked(parts.other.id()) == SeedVersion{5});
    CHECK(parts.held.highest_asked(parts.peer.id()) == SeedVersion{stored ? 4U : 3U});
}

TEST_CASE("a seed from disk that is not the version of its row is not used") {
    Parts parts;
    LoadedState state = state_with_seed_of_peer(parts, 1);
    SUBCASE("the control: it is") {
        parts.held.load(state);
        parts.held.start();
        CHECK(parts.take<CheckSeed>().size() == 1);
    }
    SUBCASE("it is not") {
        state.held_seeds[0].version = SeedVersion{2};
        parts.held.load(state);
        parts.held.start();
        CHECK(parts.take<CheckSeed>().empty());
        CHECK_FALSE(parts.held.has(parts.peer.id()));
        // It is on disk all the same, and must be erased when its owner leaves.
        CHECK(parts.erasures.may_be_on_disk(parts.peer.id()));
    }
}

TEST_CASE("an announcement whose lease is of another version than its seed is an offence") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    auto mixed = parts.have_of(parts.peer, 2, 1);
    mixed.lease = parts.have_of(parts.peer, 1, 1).lease;
    const auto taken = parts.held.take_have(1, session, mixed);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == ErrorCode::malformed);
    CHECK(parts.held.downloads() == 0);
}

TEST_CASE("a running download goes on when its version is announced again") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    parts.announce(1, session, parts.have_of(parts.peer, 1, 1));
    REQUIRE(parts.take_sent<Get>().size() == 1);
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 1, 2)));
    CHECK(parts.take_sent<Get>().empty());
    CHECK(parts.held.downloads() == 1);
}

TEST_CASE("an owner that no longer has an old version stops no download of its new one") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 2, 1)));
    parts.held.stop_download(parts.peer.id(), 1);
    CHECK(parts.held.downloads() == 1);
    parts.held.stop_download(parts.peer.id(), 2);
    CHECK(parts.held.downloads() == 0);
}

// ---------------------------------------------------------------- candidates

TEST_CASE("a second record of a version that is being checked proves that its owner equivocates") {
    Parts parts;
    Session& session = fetch_seed_of_peer(parts);
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 1, 2, 8)));
    CHECK(parts.held.equivocations() == 1);
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    CHECK(std::holds_alternative<PutEquivocation>(asked[0].ops.at(0)));
    CHECK(parts.held.candidates() == 1);
}

TEST_CASE("a seed that can never be stored is not fetched again; a newer one is") {
    Parts parts;
    Session& session = fetch_seed_of_peer(parts);
    parts.held.on(SeedChecked{parts.peer.id(), SeedVersion{1}, std::nullopt, std::nullopt});
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    const auto never = parts.writes.fail(StoreFailed{asked[0].ticket, "it does not fit", true});
    REQUIRE(never);
    parts.held.give_up(std::get<after_write::SeedStored>(*never), "it does not fit");
    CHECK_FALSE(parts.held.has(parts.peer.id()));
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 1, 2)));
    CHECK(parts.held.downloads() == 0);
    REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 2, 3)));
    CHECK(parts.held.downloads() == 1);
}

TEST_CASE("a judgement counts for the version that was judged, and for no other") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1, 2);
    const NodeId owner = parts.peer.id();
    parts.held.on(SeedJudged{owner, SeedVersion{1}, "it did harm"});
    CHECK(parts.held.may_use(owner, SeedVersion{2}));
    CHECK(parts.context.effects.empty());
    parts.held.on(SeedJudged{owner, SeedVersion{2}, "it does harm"});
    CHECK_FALSE(parts.held.may_use(owner, SeedVersion{2}));
    CHECK(parts.take<SuspendSeed>().size() == 1);
}

// ---------------------------------------------------------------- leases

TEST_CASE("a lease that comes while its seed is fetched is the one that is stored with it") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    parts.announce(1, session, parts.have_of(parts.peer, 1, 1));
    parts.pass(1h);
    const auto renewed = parts.have_of(parts.peer, 1, 2);
    REQUIRE(parts.held.take_have(1, session, renewed));
    REQUIRE(parts.held.take_chunk(1, session, Chunk{SeedVersion{1}, 0, Bytes(1000, 7)}));
    parts.context.effects.clear();
    parts.held.on(SeedChecked{parts.peer.id(), SeedVersion{1}, std::nullopt, std::nullopt});
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    const auto& lease = std::get<PutHeldLease>(asked[0].ops.at(1));
    CHECK(lease.number == 2);
    CHECK(lease.not_after == parts.context.now.wall + parts.context.config.lease_time);
}

TEST_CASE("leases are stored one at a time, and the newest follows the one that is being stored") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    Session& session = parts.sessions.at(1);
    for (const std::uint64_t number : {2, 3, 4})
        REQUIRE(parts.held.take_have(1, session, parts.have_of(parts.peer, 1, number)));
    const auto number_in = [&] {
        const auto asked = parts.take<Persist>();
        REQUIRE(asked.size() == 1);
        const auto then = parts.writes.take(Stored{asked[0].ticket});
        parts.held.on(std::get<after_write::HeldLeaseStored>(*then));
        return std::get<PutHeldLease>(asked[0].ops.at(0)).number;
    };
    CHECK(number_in() == 2);
    CHECK(number_in() == 4);
    CHECK(parts.take<Persist>().empty());
}

TEST_CASE("at the second at which its lease ends, a seed is out of use") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    // The wall clock alone moves, so that the time on the other clock decides nothing.
    parts.context.now.wall += parts.context.config.lease_time - 1s;
    CHECK(parts.held.may_use(parts.peer.id(), SeedVersion{1}));
    parts.context.now.wall += 1s;
    CHECK_FALSE(parts.held.may_use(parts.peer.id(), SeedVersion{1}));
}

TEST_CASE("a seed without a lease is not used, also while the clock shows a time before all leases") {
    Parts parts;
    parts.context.now.steady = 1min;
    parts.context.now.wall = WallTime{} - 1h;
    LoadedState state = state_with_seed_of_peer(parts, 1);
    parts.held.load(state);
    put_loaded_seed_in_place(parts, 1);
    CHECK(parts.held.owners_in_place().size() == 1);
    CHECK(parts.held.in_use().empty());
    CHECK(parts.held.status().at(0).state == SeedState::lease_ended);
}
