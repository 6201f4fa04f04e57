#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

Received message(const Identity& from, SessionId id, std::uint64_t sequence, Message body) {
    return {id, from.id().curve_key(), encode(Envelope{sequence, std::move(body)})};
}

bool hears(Parts& parts, const Received& received) {
    const auto envelope = decode(received.frames);
    REQUIRE(envelope);
    return parts.sessions.receive(received, *envelope) != nullptr;
}

}  // namespace

TEST_CASE("only neighbours may connect, and only after the start") {
    Parts parts;
    parts.peers.add(parts.peer.id(), "tcp://10.0.0.1:1", PeerSource::config);
    parts.peers.add(parts.other.id(), std::nullopt, PeerSource::added, true);
    parts.peers.allow();
    CHECK(parts.take<Allow>().empty());
    parts.peers.start();
    parts.peers.allow();
    const auto allowed = parts.take<Allow>();
    REQUIRE(allowed.size() == 1);
    CHECK(allowed[0].keys == std::vector{parts.peer.id().curve_key()});
    CHECK(parts.peers.is_former(parts.other.id()));
    CHECK_FALSE(parts.peers.is_neighbour(parts.other.id()));

    parts.sessions.on(LinkUp{1, parts.other.id()});
    CHECK(parts.take<CloseSession>().size() == 1);
    parts.sessions.on(LinkUp{2, parts.peer.id()});
    CHECK(parts.take_sent<Hello>().size() == 1);
}

TEST_CASE("the newest session of a peer is its only established one") {
    Parts parts;
    parts.connect(parts.peer, 1);
    CHECK(parts.take_events() == std::vector{EventKind::peer_up});
    parts.connect(parts.peer, 2);
    CHECK(parts.sessions.id_of(parts.peer.id()) == 2);
    CHECK(parts.sessions.all().size() == 1);
    const auto closed = parts.take<CloseSession>();
    REQUIRE(closed.size() == 1);
    CHECK(closed[0].session == 1);
    CHECK(parts.sessions.take_ended() == std::vector<SessionId>{1});
    CHECK(parts.sessions.take_ended().empty());
    // The end of the old one does not take the peer down.
    parts.sessions.remove(1);
    CHECK(parts.take_events().empty());
    parts.sessions.remove(2);
    CHECK(parts.take_events() == std::vector{EventKind::peer_down});
}

TEST_CASE("messages of a lane come in order, each once; another lane has numbers of its own") {
    Parts parts;
    parts.connect(parts.peer, 1);
    CHECK(hears(parts, message(parts.peer, 1, 5, Ping{1})));
    CHECK(hears(parts, message(parts.peer, 1, 1, Chunk{SeedVersion{1}, 0, Bytes(10, 1)})));
    CHECK_FALSE(hears(parts, message(parts.peer, 1, 5, Ping{1})));
    CHECK(parts.sessions.find(1) == nullptr);
    CHECK(parts.sessions.is_blocked(parts.peer.id().curve_key()));
}

TEST_CASE("two sides speak the newest version that both know, and nothing newer") {
    Parts parts;
    parts.peers.add(parts.peer.id(), std::nullopt, PeerSource::config);
    Hello hello;
    hello.sender = parts.peer.id();
    const auto meet = [&](SessionId id, std::uint8_t oldest, std::uint8_t newest) {
        hello.oldest_version = oldest;
        hello.newest_version = newest;
        return parts.sessions.refusal_of(hello, parts.peer.id().curve_key())
                   ? 0
                   : parts.sessions.meet(id, parts.peer.id().curve_key(), 1, hello)->version;
    };
    const Holders newer{{Bytes{1}, {}}};
    CHECK(meet(1, 1, 1) == 1);
    CHECK_FALSE(hears(parts, message(parts.peer, 1, 2, newer)));
    CHECK(parts.sessions.find(1) == nullptr);
    CHECK(meet(2, 1, 2) == 2);
    CHECK(hears(parts, message(parts.peer, 2, 2, newer)));
    CHECK(meet(3, 2, 9) == 2);
    CHECK(meet(4, 3, 9) == 0);
    // What `min_wire = 2` does.
    parts.context.config.wire.oldest = 2;
    CHECK(meet(5, 1, 1) == 0);
    CHECK(meet(6, 1, 2) == 2);
}

TEST_CASE("a peer may say Hello often, but not without end") {
    Parts parts;
    parts.peers.add(parts.peer.id(), "tcp://10.0.0.1:1", PeerSource::config);
    Hello hello;
    hello.sender = parts.peer.id();
    const auto key = parts.peer.id().curve_key();
    const auto most = static_cast<std::uint64_t>(kHelloBurst);
    for (std::uint64_t i = 1; i <= most; ++i)
        REQUIRE(parts.sessions.meet(i, key, 1, hello) != nullptr);
    CHECK(parts.take<Send>().size() == most);
    CHECK(parts.sessions.meet(most + 1, key, 1, hello) == nullptr);
    CHECK(parts.take<Send>().empty());
    CHECK(parts.sessions.is_blocked(key));
    parts.pass(std::chrono::seconds(1));
    for (std::uint64_t i = 1; i <= static_cast<std::uint64_t>(kHellosPerSecond); ++i)
        CHECK(parts.sessions.meet(1000 + i, key, 1, hello) != nullptr);
    CHECK(parts.sessions.meet(2000, key, 1, hello) == nullptr);
    CHECK(parts.sessions.meet(2001, parts.other.id().curve_key(), 1, [&] {
        Hello of_another;
        of_another.sender = parts.other.id();
        return of_another;
    }()) != nullptr);
}

TEST_CASE("a key that changes within a session ends it") {
    Parts parts;
    parts.connect(parts.peer, 1);
    CHECK_FALSE(hears(parts, message(parts.other, 1, 1, Ping{1})));
    CHECK(parts.sessions.find(1) == nullptr);
}

TEST_CASE("whoever breaks the protocol is blocked, twice as long each time, until a session succeeds") {
    Parts parts;
    const auto key = parts.peer.id().curve_key();
    parts.sessions.drop(1, key, Error{});
    parts.pass(kBlockFirst - std::chrono::milliseconds(1));
    CHECK(parts.sessions.is_blocked(key));
    parts.pass(std::chrono::milliseconds(1));
    CHECK_FALSE(parts.sessions.is_blocked(key));
    parts.sessions.drop(2, key, Error{});
    parts.pass(kBlockFirst);
    CHECK(parts.sessions.is_blocked(key));
    parts.connect(parts.peer, 3);
    CHECK_FALSE(parts.sessions.is_blocked(key));
    CHECK(parts.sessions.blocked_keys() == 0);
}

TEST_CASE("an unknown session is told to say hello, except when it only refuses something") {
    Parts parts;
    CHECK_FALSE(hears(parts, message(parts.peer, 7, 1, Ping{1})));
    CHECK(parts.take_sent<Nack>().size() == 1);
    CHECK_FALSE(hears(parts, message(parts.peer, 7, 0, Nack{NackReason::hello_first, 0})));
    CHECK(parts.take<Send>().empty());
}

TEST_CASE("a silent session is pinged, then suspect, then over, and dialled again where we dialled it") {
    Parts parts;
    parts.connect(parts.peer, 1).dialled = true;
    parts.context.config.reachable = false;
    parts.context.effects.clear();
    parts.pass(kPingAfterIdle + std::chrono::milliseconds(1));
    parts.sessions.tick();
    CHECK(parts.take_sent<Ping>().size() == 1);
    parts.pass(kPeerSuspectAfter - kPingAfterIdle);
    parts.sessions.tick();
    CHECK(parts.take_events() == std::vector{EventKind::peer_suspect});
    parts.pass(kPeerDownAfter - kPeerSuspectAfter);
    parts.sessions.tick();
    CHECK(parts.sessions.all().empty());
    const auto dialled = parts.take<Dial>();
    REQUIRE(dialled.size() >= 1);
    CHECK(dialled[0].peer.id == parts.peer.id());
}

TEST_CASE("a flood ends the session") {
    Parts parts;
    parts.connect(parts.peer, 1);
    std::uint64_t sequence = 0;
    while (hears(parts, message(parts.peer, 1, ++sequence, Ping{1})))
        REQUIRE(sequence < 2 * static_cast<std::uint64_t>(kFrameBurst));
    CHECK(sequence == static_cast<std::uint64_t>(kFrameBurst) + 1);
    CHECK(parts.sessions.find(1) == nullptr);
}
