#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

SignedBytes state_of(const Parts& parts, const Identity& node, std::uint64_t number) {
    StateStatement state{node.id(), number, {}, {}};
    state.start.value.fill(9);
    return sign_state(node, parts.network(), state);
}

/// Starts the node, durably.
void start(Parts& parts) {
    parts.own_state.start();
    parts.own_state.on(parts.store<after_write::StateStored>());
    parts.context.effects.clear();
}

/// The peer states this number in session 1.
Result<OwnState::Finding> take_state_of_peer(Parts& parts, Session& session, std::uint64_t number) {
    return parts.own_state.take(1, session, {state_of(parts, parts.peer, number), false, std::nullopt});
}

}  // namespace

TEST_CASE("a number is stated once it is durable, and never a lower one afterwards") {
    Parts parts;
    parts.connect(parts.peer, 1);
    parts.own_state.start();
    const auto first = parts.store<after_write::StateStored>();
    parts.own_state.send_to(1, *parts.sessions.established(parts.peer.id()));
    CHECK(parts.take_sent<StateMessage>().empty());
    parts.own_state.on(first);
    auto sent = parts.take_sent<StateMessage>();
    REQUIRE(sent.size() == 1);
    CHECK(verify_state(parts.self.id(), parts.network(), sent[0].own)->number == 1);
    const PutStart second = parts.own_state.next();
    const PutStart third = parts.own_state.next();
    CHECK(second.number == 2);
    CHECK(third.number == 3);
    parts.own_state.stored_with(third);
    parts.own_state.stored_with(second);
    sent = parts.take_sent<StateMessage>();
    REQUIRE(sent.size() == 1);
    CHECK(verify_state(parts.self.id(), parts.network(), sent[0].own)->number == 3);
}

TEST_CASE("a peer's statement is stored at a tick, one write at a time, and shown to it once it is durable") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    start(parts);
    const auto say = [&](std::uint64_t number) { return take_state_of_peer(parts, session, number); };
    REQUIRE(say(1));
    CHECK(parts.take<Persist>().empty());
    REQUIRE(say(2));
    parts.own_state.tick();
    const auto second = parts.store<after_write::PeerStateStored>();
    CHECK(second.number == 2);
    parts.own_state.send_to(1, session);
    auto shown = parts.take_sent<StateMessage>();
    REQUIRE(shown.size() == 1);
    CHECK_FALSE(shown[0].yours);
    // A newer one comes meanwhile: it waits for the first, and nothing is shown before it is durable.
    REQUIRE(say(3));
    parts.own_state.tick();
    CHECK(parts.take<Persist>().empty());
    parts.own_state.on(second);
    CHECK(parts.take_sent<StateMessage>().empty());
    parts.own_state.tick();
    const auto third = parts.store<after_write::PeerStateStored>();
    CHECK(third.number == 3);
    parts.own_state.on(third);
    shown = parts.take_sent<StateMessage>();
    REQUIRE(shown.size() == 1);
    CHECK(shown[0].yours == state_of(parts, parts.peer, 3));
    // An older one is not kept: the peer is shown the newer one.
    REQUIRE(say(2));
    shown = parts.take_sent<StateMessage>();
    REQUIRE(shown.size() == 1);
    CHECK(shown[0].yours == state_of(parts, parts.peer, 3));
    parts.own_state.tick();
    CHECK(parts.take<Persist>().empty());
}

TEST_CASE("a statement that can never be stored is not shown as kept, and the next one is stored") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    start(parts);
    const auto say = [&](std::uint64_t number) { return take_state_of_peer(parts, session, number); };
    REQUIRE(say(1));
    parts.own_state.tick();
    parts.own_state.give_up(parts.store<after_write::PeerStateStored>(), "it does not fit");
    CHECK(parts.take_events() == std::vector{EventKind::store_refused});
    parts.own_state.send_to(1, session);
    const auto shown = parts.take_sent<StateMessage>();
    REQUIRE(shown.size() == 1);
    CHECK_FALSE(shown[0].yours);
    REQUIRE(say(2));
    parts.own_state.tick();
    CHECK(parts.store<after_write::PeerStateStored>().number == 2);
}

TEST_CASE("a peer that states new numbers all the time makes us write a burst, and then one a minute") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    start(parts);
    const auto writes_of = [&](std::uint64_t from, std::uint64_t to) {
        std::size_t count = 0;
        for (std::uint64_t number = from; number < to; ++number) {
            REQUIRE(take_state_of_peer(parts, session, number));
            parts.own_state.tick();
            for (const auto& persist : parts.take<Persist>()) {
                ++count;
                const auto then = parts.writes.take(Stored{persist.ticket});
                parts.own_state.on(std::get<after_write::PeerStateStored>(then.value()));
            }
        }
        return count;
    };
    CHECK(writes_of(1, 101) == static_cast<std::size_t>(kStateWriteBurst));
    parts.pass(std::chrono::seconds(61));
    CHECK(writes_of(101, 111) == 1);
    // The newest follows, also when the peer is silent.
    parts.pass(std::chrono::seconds(61));
    parts.context.effects.clear();
    parts.own_state.tick();
    CHECK(parts.store<after_write::PeerStateStored>().number == 110);
}

TEST_CASE("a statement of ours that a peer shows: the same confirms, a newer one makes ours an old copy") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    start(parts);
    parts.own_state.send_to(1, session);
    const auto sent = parts.take_sent<StateMessage>();
    REQUIRE(sent.size() == 1);
    const SignedBytes theirs = state_of(parts, parts.peer, 1);
    const auto show = [&](const SignedBytes& ours) {
        return parts.own_state.take(1, session, {theirs, false, ours});
    };
    CHECK_FALSE(parts.own_state.is_confirmed());
    CHECK(show(sent[0].own) == OwnState::Finding::nothing_new);
    CHECK(parts.own_state.is_confirmed());
    CHECK_FALSE(show(state_of(parts, parts.other, 5)));
    CHECK_FALSE(parts.own_state.was_restored());

    Parts restored;
    Session& again = restored.connect(restored.peer, 1);
    start(restored);
    const auto found =
        restored.own_state.take(1, again, {theirs, false, state_of(restored, restored.self, 5)});
    CHECK(found == OwnState::Finding::old_copy);
    CHECK(restored.own_state.is_restored());
    CHECK_FALSE(restored.own_state.is_confirmed());
    // It goes on above what others have seen.
    CHECK(restored.store<after_write::StateStored>().state.number == 6);
    restored.own_state.clear_restored();
    CHECK_FALSE(restored.own_state.is_restored());
    CHECK(restored.own_state.was_restored());
}
