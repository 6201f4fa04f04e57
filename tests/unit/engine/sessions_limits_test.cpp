#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

/// A key as an attacker makes them by the thousand.
CurvePublicKey nth_attacking_key(std::uint32_t number) {
    CurvePublicKey key;
    for (std::size_t i = 0; i < 4; ++i)
        key.value[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return key;
}

Hello hello_of(const Identity& sender) {
    Hello hello;
    hello.sender = sender.id();
    return hello;
}

/// A message from the peer in session 1. @return whether it is to be handled
bool peer_is_heard(Parts& parts, std::uint64_t sequence, Message body) {
    const Received received{1, parts.peer.id().curve_key(), encode(Envelope{sequence, std::move(body)})};
    return parts.sessions.receive(received, *decode(received.frames)) != nullptr;
}

}  // namespace

TEST_CASE("a session belongs to one node: a hello of another one ends it") {
    Parts parts;
    parts.peers.add(parts.peer.id(), "tcp://10.0.0.1:1", PeerSource::config);
    parts.peers.add(parts.other.id(), "tcp://10.0.0.2:1", PeerSource::config);
    SUBCASE("where we dialled the first one") {
        parts.sessions.on(LinkUp{1, parts.peer.id()});
    }
    SUBCASE("where the first one said hello") {
        REQUIRE(parts.sessions.meet(1, parts.peer.id().curve_key(), 1, hello_of(parts.peer)));
    }
    const auto key = parts.other.id().curve_key();
    CHECK(parts.sessions.meet(1, key, 1, hello_of(parts.other)) == nullptr);
    CHECK(parts.sessions.find(1) == nullptr);
    CHECK(parts.sessions.is_blocked(key));
    CHECK_FALSE(parts.sessions.is_blocked(parts.peer.id().curve_key()));
}

TEST_CASE("there are no more sessions than a node has room for, whoever dialled") {
    Parts parts;
    parts.peers.add(parts.peer.id(), "tcp://10.0.0.1:1", PeerSource::config);
    for (SessionId id = 1; id <= kMaxSessions; ++id)
        parts.sessions.on(LinkUp{id, parts.peer.id()});
    CHECK(parts.take<CloseSession>().empty());
    SUBCASE("we did") {
        parts.sessions.on(LinkUp{kMaxSessions + 1, parts.peer.id()});
    }
    SUBCASE("the peer did") {
        CHECK(parts.sessions.meet(kMaxSessions + 1, parts.peer.id().curve_key(), 1, hello_of(parts.peer)) ==
              nullptr);
    }
    CHECK(parts.take<CloseSession>().size() == 1);
    CHECK(parts.sessions.all().size() == kMaxSessions);
}

TEST_CASE("any number of keys that break the protocol take up limited room") {
    Parts parts;
    for (std::uint32_t i = 1; i <= kMaxBlockedKeys + 10; ++i)
        parts.sessions.drop(i, nth_attacking_key(i), Error{});
    CHECK(parts.sessions.blocked_keys() == kMaxBlockedKeys);
    CHECK(parts.sessions.is_blocked(nth_attacking_key(kMaxBlockedKeys + 10)));
}

TEST_CASE("a key that is known to be blocked displaces no other one") {
    Parts parts;
    for (std::uint32_t i = 1; i <= kMaxBlockedKeys; ++i)
        parts.sessions.drop(i, nth_attacking_key(i), Error{});
    parts.sessions.drop(1, nth_attacking_key(1), Error{});
    CHECK(parts.sessions.blocked_keys() == kMaxBlockedKeys);
}

TEST_CASE("nobody is blocked for more than ten minutes at a time") {
    Parts parts;
    const auto key = parts.peer.id().curve_key();
    for (SessionId id = 1; id <= 20; ++id)
        parts.sessions.drop(id, key, Error{});
    parts.pass(kBlockMost - std::chrono::milliseconds(1));
    CHECK(parts.sessions.is_blocked(key));
    parts.pass(std::chrono::milliseconds(1));
    CHECK_FALSE(parts.sessions.is_blocked(key));
}

TEST_CASE("a refusal has a number like any message, unless its sender does not know the session") {
    Parts parts;
    parts.connect(parts.peer, 1);
    const Nack numbered{NackReason::no_such_version, 1};
    CHECK(peer_is_heard(parts, 5, numbered));
    const Nack unnumbered{NackReason::hello_first, 0};
    CHECK(peer_is_heard(parts, 0, unnumbered));
    CHECK(peer_is_heard(parts, 0, unnumbered));
    CHECK_FALSE(peer_is_heard(parts, 5, numbered));
    CHECK(parts.sessions.find(1) == nullptr);
}
