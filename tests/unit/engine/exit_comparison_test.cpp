#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

/// A node and a neighbour of version 1, whose comparison with each other the test carries out.
struct ComparingPair {
    Parts here;
    DigestMessage digest_of_here() {
        here.context.effects.clear();
        here.comparison.begin(1, here.sessions.at(1));
        const auto sent = here.take_sent<DigestMessage>();
        REQUIRE(sent.size() == 1);
        return sent[0];
    }
    ComparingPair() { here.connect(here.peer, 1).version = 1; }
};

void know_exit(Parts& parts, const Identity& owner) {
    parts.learn_exit_of(owner);
    parts.exits.on(parts.store<after_write::TombstoneStored>());
    parts.context.effects.clear();
}

Delta known(const DigestMessage& digest, std::vector<ExitedId> ids) {
    return {digest.salt, DeltaPart::known, true, ~std::uint64_t{0}, std::move(ids)};
}

ExitedId id_of(const Identity& owner) {
    return ExitedId{owner.id().bytes()};
}

}  // namespace

TEST_CASE("a digest is answered with what differs, not too often, and notices only for that very answer") {
    ComparingPair pair;
    Parts& here = pair.here;
    know_exit(here, here.other);
    const DigestMessage empty{DigestSalt{}, {}};
    Session& session = here.sessions.at(1);
    here.comparison.take_digest(1, session, empty);
    const auto answer = here.take_sent<Delta>();
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].ids == std::vector{id_of(here.other)});
    here.comparison.take_digest(1, session, empty);
    CHECK(here.take_sent<Delta>().empty());
    CHECK(here.context.counters.messages_ignored == 1);

    Delta wanted{empty.salt, DeltaPart::wanted, true, 0, {id_of(here.other)}};
    here.comparison.take_delta(1, session, wanted);
    CHECK(here.take_sent<Exit>().size() == 1);
    wanted.salt.value[0] ^= 1;
    here.comparison.take_delta(1, session, wanted);
    CHECK(here.take_sent<Exit>().empty());
    // The session is over: its answer is forgotten.
    wanted.salt = empty.salt;
    here.comparison.forget(1);
    here.comparison.take_delta(1, session, wanted);
    CHECK(here.take_sent<Exit>().empty());
}

TEST_CASE("after a comparison each side has asked for what it lacks and given what the other lacks") {
    ComparingPair pair;
    Parts& here = pair.here;
    const Identity gone = stranger(20);
    know_exit(here, here.other);
    const auto digest = pair.digest_of_here();
    here.comparison.take_delta(1, here.sessions.at(1), known(digest, {id_of(gone)}));
    CHECK(here.context.counters.comparisons == 1);
    auto sent = here.take<Send>();
    std::size_t exits = 0;
    std::vector<ExitedId> wanted;
    for (auto& send : sent) {
        const auto envelope = decode(std::move(send.frames));
        REQUIRE(envelope);
        exits += std::holds_alternative<Exit>(envelope->message) ? 1 : 0;
        if (const auto* delta = std::get_if<Delta>(&envelope->message)) wanted = delta->ids;
    }
    CHECK(exits == 1);
    CHECK(wanted == std::vector{id_of(gone)});
    // The same answer once more belongs to no comparison.
    here.comparison.take_delta(1, here.sessions.at(1), known(digest, {}));
    CHECK(here.context.counters.comparisons == 1);
}

TEST_CASE("what is known but not durable is not asked for again") {
    ComparingPair pair;
    Parts& here = pair.here;
    here.learn_exit_of(here.other);
    const auto digest = pair.digest_of_here();
    here.comparison.take_delta(1, here.sessions.at(1), known(digest, {id_of(here.other)}));
    CHECK(here.take_sent<Delta>().empty());
}

TEST_CASE("more ids than anybody keeps end a comparison without a result, and the next one comes later") {
    ComparingPair pair;
    Parts& here = pair.here;
    const auto digest = pair.digest_of_here();
    auto delta = known(digest, std::vector<ExitedId>(kMaxDeltaIds));
    delta.last = false;
    for (std::size_t sent = 0; sent <= kMaxDeltaIdsKept; sent += kMaxDeltaIds)
        here.comparison.take_delta(1, here.sessions.at(1), delta);
    delta.last = true;
    here.comparison.take_delta(1, here.sessions.at(1), delta);
    CHECK(here.context.counters.comparisons == 0);
    here.context.effects.clear();
    here.comparison.begin(1, here.sessions.at(1));
    CHECK(here.take_sent<DigestMessage>().empty());
    here.pass(std::chrono::hours(1));
    here.comparison.begin(1, here.sessions.at(1));
    CHECK(here.take_sent<DigestMessage>().size() == 1);
}

/// What was stored by an earlier start is loaded.
void start_again(Parts& here) {
    LoadedState state;
    state.last_own_version = SeedVersion{1};
    here.own_state.load(state);
    here.comparison.start();
}

TEST_CASE("a neighbour's word counts for every owner but those whose exit it knows") {
    ComparingPair pair;
    Parts& here = pair.here;
    here.connect(here.other, 2).version = 1;
    here.peers.add(stranger(4).id(), std::nullopt, PeerSource::config);
    start_again(here);
    const auto digest = pair.digest_of_here();
    here.comparison.take_delta(1, here.sessions.at(1), known(digest, {id_of(stranger(4))}));
    CHECK_FALSE(here.comparison.keeps_out(here.other.id()));
    CHECK(here.comparison.keeps_out(stranger(4).id()));
    CHECK(here.comparison.keeps_out(here.peer.id()));
}

TEST_CASE("a neighbour whose state is an old copy is not believed before the time of a lease has passed") {
    ComparingPair pair;
    Parts& here = pair.here;
    here.connect(here.other, 2);
    start_again(here);
    std::uint8_t speaks = 2;
    const auto compare = [&] {
        here.context.effects.clear();
        here.sessions.at(1).version = 1;  // so that the test can answer with a Delta
        here.comparison.begin(1, here.sessions.at(1));
        const auto digest = here.take_sent<DigestMessage>();
        REQUIRE(digest.size() == 1);
        here.sessions.at(1).version = speaks;
        here.comparison.take_delta(1, here.sessions.at(1), known(digest[0], {}));
        return !here.comparison.keeps_out(here.other.id());
    };
    here.sessions.at(1).state_heard = true;
    SUBCASE("it says so") {
        here.sessions.at(1).restored = true;
        CHECK_FALSE(compare());
    }
    SUBCASE("it has not said anything yet") {
        here.sessions.at(1).state_heard = false;
        CHECK_FALSE(compare());
    }
    SUBCASE("a node of version 1 cannot say so") {
        here.sessions.at(1).state_heard = false;
        speaks = 1;
        CHECK(compare());
    }
    here.pass(here.context.config.lease_time);
    CHECK(compare());
}

TEST_CASE("after a start every owner is kept out until another neighbour has vouched") {
    ComparingPair pair;
    Parts& here = pair.here;
    here.connect(here.other, 2).version = 1;
    const NodeId owner = here.peer.id();
    here.comparison.start();
    CHECK_FALSE(here.comparison.keeps_out(owner));  // the first start of all has nothing to fear
    start_again(here);
    here.own_state.set_restored();
    CHECK(here.comparison.keeps_out(owner));
    // The owner itself says that it knows of no exit: that proves nothing about its own.
    const auto digest = pair.digest_of_here();
    here.comparison.take_delta(1, here.sessions.at(1), known(digest, {}));
    CHECK(here.comparison.keeps_out(owner));
    CHECK_FALSE(here.comparison.keeps_out(here.other.id()));
    // With a second one all have vouched, durably.
    here.context.effects.clear();
    here.comparison.begin(2, here.sessions.at(2));
    const auto other_digest = here.take_sent<DigestMessage>();
    REQUIRE(other_digest.size() == 1);
    here.comparison.take_delta(2, here.sessions.at(2), known(other_digest[0], {}));
    CHECK_FALSE(here.comparison.keeps_out(owner));
    const auto asked = here.take<Persist>();
    REQUIRE(asked.size() == 1);
    CHECK(std::holds_alternative<ClearRestored>(asked[0].ops.at(0)));
}

TEST_CASE("vouchers count no longer when somebody becomes known whose exit they may have left out") {
    ComparingPair pair;
    Parts& here = pair.here;
    here.connect(here.other, 2).version = 1;
    start_again(here);
    const auto digest = pair.digest_of_here();
    here.comparison.take_delta(1, here.sessions.at(1), known(digest, {id_of(stranger(30))}));
    CHECK_FALSE(here.comparison.keeps_out(here.other.id()));
    here.context.effects.clear();
    here.comparison.compare_again();
    CHECK(here.comparison.keeps_out(here.other.id()));
    CHECK(here.take_sent<DigestMessage>().size() == 2);
}

TEST_CASE("the only neighbour suffices, and after the time of a lease any does") {
    ComparingPair pair;
    Parts& here = pair.here;
    start_again(here);
    const auto digest = pair.digest_of_here();
    here.comparison.take_delta(1, here.sessions.at(1), known(digest, {}));
    CHECK_FALSE(here.comparison.keeps_out(here.peer.id()));
}

TEST_CASE("a neighbour is chosen for a comparison now and then") {
    ComparingPair pair;
    Parts& here = pair.here;
    here.context.effects.clear();
    here.comparison.tick();
    CHECK(here.take_sent<DigestMessage>().size() == 1);
    here.comparison.tick();
    CHECK(here.take_sent<DigestMessage>().empty());
    here.pass(kCompareInterval);
    here.comparison.tick();
    CHECK(here.take_sent<DigestMessage>().size() == 1);
}
