#include <doctest/doctest.h>
#include <sys/resource.h>

#include "node/network/limits.hpp"
#include "raw_peer.hpp"
#include "tcp_proxy.hpp"
#include "tests/support/hostile_client.hpp"

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

namespace {

struct Victim {
    ZmqWorld world;
    std::unique_ptr<Node> node = world.listening();
    protocol::Identity attacker = protocol::Identity::generate();

    Victim() {
        const auto key = attacker.id().curve_key();
        node->transport->allow({&key, 1});
    }
    [[nodiscard]] int port() const {
        const std::string endpoint = node->address().endpoint;
        return std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
    }
    /// What the node says about a message; the attacker's first one is a good one.
    void sends(const Frames& bad) {
        RawPeer peer(attacker, node->address());
        peer.send(message(3, 1));
        REQUIRE(world.until([&] { return node->seen.messages.size() == 1; }));
        peer.send(bad);
        peer.send(message(3, 2));
        REQUIRE(world.until([&] { return !node->seen.malformed.empty(); }));
        world.run_for(200ms);
        CHECK(node->seen.malformed.size() == 1);
        CHECK(node->seen.malformed[0].session == node->seen.messages[0].session);
        CHECK(node->seen.malformed[0].key == attacker.id().curve_key());
    }
};

}  // namespace

TEST_CASE("one frame too many, or 50,000, is reported, not delivered, and the peer is dropped") {
    for (const int count : {4, 50000}) {
        Victim victim;
        Frames frames = message(7, 9, 8, 8);
        while (frames.size() < static_cast<std::size_t>(count))
            frames.emplace_back(20);
        victim.sends(frames);
        CHECK(victim.node->seen.malformed[0].reason.find("too many frames") != std::string::npos);
        for (const auto& got : victim.node->seen.messages)
            CHECK(number_of(got.frames) == 1);
    }
}

TEST_CASE("a frame that is too long is reported, not delivered, and the peer is dropped") {
    for (const Frames& frames :
         {message(3, 9, protocol::kMaxBody + 1), message(7, 9, 8, protocol::kMaxPayload + 1)}) {
        Victim victim;
        victim.sends(frames);
        CHECK(victim.node->seen.malformed[0].reason.find("at most") != std::string::npos);
    }
    Victim control;
    RawPeer peer(control.attacker, control.node->address());
    peer.send(message(7, 9, protocol::kMaxBody, protocol::kMaxPayload));
    CHECK(control.world.until([&] { return !control.node->seen.messages.empty(); }));
}

TEST_CASE("a header of a wrong length is reported") {
    Victim victim;
    victim.sends(Frames{protocol::Bytes(11)});
}

TEST_CASE("a frame far beyond the limit ends the connection before it is here") {
    Victim victim;
    RawPeer peer(victim.attacker, victim.node->address());
    peer.send(message(3, 1));
    REQUIRE(victim.world.until([&] { return victim.node->seen.messages.size() == 1; }));
    peer.send(message(7, 2, 8, 8 * 1024 * 1024));
    peer.send(message(3, 3));  // libzmq connects again by itself, so this arrives in another session
    victim.world.until([&] { return victim.node->seen.messages.size() == 2; }, 2s);
    for (const auto& got : victim.node->seen.messages)
        CHECK(number_of(got.frames) != 2);
}

TEST_CASE("a message that never ends is cut off before it fills the memory") {
    for (const bool stranger : {false, true}) {
        Victim victim;
        TcpProxy proxy(victim.port());
        RawPeer peer(victim.attacker, {victim.node->identity.id(), proxy.endpoint()});
        if (!stranger) {
            peer.send(message(3, 1));
            REQUIRE(victim.world.until([&] { return victim.node->seen.messages.size() == 1; }));
        }
        // libzmq begins to send only when the last part is here; for the node it is a message without end
        // until then.
        const protocol::Bytes frame(32 * 1024);
        for (int i = 0; i < 6400; ++i)
            peer.send_part(frame, true);
        peer.send_part(frame, false);
        REQUIRE(victim.world.until([&] { return !victim.node->seen.malformed.empty(); }));
        CHECK(victim.node->seen.malformed[0].reason.find("does not end") != std::string::npos);
        CHECK((victim.node->seen.malformed[0].session == 0) == stranger);
        victim.world.run_for(100ms);
        MESSAGE("cut off after " << proxy.from_dialler / 1048576 << " of 200 MiB");
        CHECK(proxy.from_dialler < 40 * 1024 * 1024);
    }
}

TEST_CASE("one key gets a few sessions, and the oldest goes for one more") {
    Victim victim;
    std::vector<std::unique_ptr<RawPeer>> peers;
    for (std::uint64_t i = 1; i <= kMaxSessionsOfKey + 1; ++i) {
        CHECK(victim.node->seen.malformed.empty());
        peers.push_back(std::make_unique<RawPeer>(victim.attacker, victim.node->address()));
        peers.back()->send(message(3, i));
        REQUIRE(victim.world.until([&] { return victim.node->seen.messages.size() == i; }));
    }
    REQUIRE(victim.world.until([&] { return !victim.node->seen.malformed.empty(); }));
    CHECK(victim.node->seen.malformed.size() == 1);
    CHECK(victim.node->seen.malformed[0].reason == "too many connections of one key");
    CHECK(victim.node->seen.malformed[0].session == victim.node->seen.messages[0].session);
    peers.back()->send(message(3, 99));
    CHECK(victim.world.until([&] { return number_of(victim.node->seen.messages.back().frames) == 99; }));
}

TEST_CASE("a first message that is longer than any hello is cut off, whoever sends it") {
    Victim victim;
    unlearn::testing::CurveClient client(victim.port(), victim.node->identity.id(), victim.attacker);
    REQUIRE(client.connected());
    REQUIRE(client.send_frames_without_end(7, 10000));
    REQUIRE(victim.world.until([&] { return !victim.node->seen.malformed.empty(); }));
    CHECK(victim.node->seen.malformed[0].session == 0);
    CHECK(client.socket().closes_within(5s));
}

TEST_CASE("a connection that says nothing does not stay, one that says hello does") {
    Victim victim;
    unlearn::testing::CurveClient silent(victim.port(), victim.node->identity.id(), victim.attacker);
    unlearn::testing::CurveClient speaking(victim.port(), victim.node->identity.id(), victim.attacker);
    REQUIRE(silent.connected());
    REQUIRE(speaking.send_frame(message(3, 1)[0], true));
    REQUIRE(speaking.send_frame(message(3, 1)[1], false));
    victim.world.run_for(kFirstMessageTime + 1s);
    CHECK(silent.socket().closes_within(0ms));
    CHECK_FALSE(speaking.socket().closes_within(0ms));
}

TEST_CASE("more idle connections than a node takes do not keep a neighbour out") {
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    REQUIRE(limit.rlim_cur > 3 * kMaxConnections);
    Victim victim;
    const auto neighbour = victim.world.dialling();
    victim.node->allow(*neighbour);
    std::vector<unlearn::testing::PlainSocket> idle;
    for (std::size_t i = 0; i < kMaxConnections + 100; ++i) {
        idle.emplace_back(victim.port());
        if (i % 100 == 0) victim.world.run_for(1ms);
    }
    neighbour->transport->dial(victim.node->address());
    REQUIRE(victim.world.until([&] { return !neighbour->seen.ups.empty(); }, 2s));
    neighbour->transport->send(neighbour->seen.ups[0].session, message(1, 1), Priority::urgent);
    CHECK(victim.world.until([&] { return !victim.node->seen.messages.empty(); }, 2s));
    CHECK(idle.front().closes_within(0ms));
}

TEST_CASE("handshakes that fail are counted by why") {
    Victim victim;
    const auto other = protocol::Identity::generate();
    CHECK_FALSE(unlearn::testing::CurveClient(victim.port(), victim.node->identity.id(), other).connected());
    CHECK_FALSE(unlearn::testing::CurveClient(victim.port(), other.id(), victim.attacker).connected());
    { const unlearn::testing::PlainSocket gone(victim.port()); }
    const HandshakeFailures each_once{1, 1, 1};
    CHECK(victim.world.until(
        [&] { return victim.node->transport->traffic().handshake_failures == each_once; }, 3s));
}
