#include <doctest/doctest.h>

#include "node/network/limits.hpp"
#include "raw_peer.hpp"

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

TEST_CASE("a sender's words cannot change the key that is reported") {
    ZmqWorld world;
    const auto node = world.listening();
    const auto one = protocol::Identity::generate();
    const auto two = protocol::Identity::generate();
    const std::vector keys{one.id().curve_key(), two.id().curve_key()};
    node->transport->allow(keys);
    RawPeer first(one, node->address());
    RawPeer second(two, node->address());
    first.send(message(3, 1));
    second.send(message(3, 2));
    REQUIRE(world.until([&] { return node->seen.messages.size() == 2; }));
    for (const auto& got : node->seen.messages)
        CHECK(got.key == keys[number_of(got.frames) - 1]);
    CHECK(node->seen.messages[0].session != node->seen.messages[1].session);
}

TEST_CASE("a session whose peer is gone swallows what is sent to it") {
    ZmqWorld world;
    const auto node = world.listening();
    const auto own = protocol::Identity::generate();
    const auto key = own.id().curve_key();
    node->transport->allow({&key, 1});
    {
        RawPeer peer(own, node->address());
        peer.send(message(3, 1));
        REQUIRE(world.until([&] { return node->seen.messages.size() == 1; }));
        node->transport->send(node->seen.messages[0].session, message(4, 1), Priority::normal);
        world.run_for(50ms);
        CHECK(peer.receives_within(1s));
    }
    world.run_for(100ms);
    for (std::uint64_t i = 0; i < 100; ++i)
        node->transport->send(node->seen.messages[0].session, message(4, i), Priority::normal);
    world.run_for(100ms);
    CHECK(node->seen.malformed.empty());
}

TEST_CASE("a restarted dialler is a new session for the listener") {
    ZmqWorld world;
    const auto listener = world.listening();
    const auto dialler = world.dialling();
    listener->allow(*dialler);
    for (std::size_t round = 1; round <= 3; ++round) {
        dialler->transport->dial(listener->address());
        REQUIRE(world.until([&] { return dialler->seen.ups.size() == round; }));
        dialler->transport->send(dialler->seen.ups.back().session, message(3, round), Priority::normal);
        REQUIRE(world.until([&] { return listener->seen.messages.size() == round; }));
        dialler->transport->hang_up(listener->identity.id());
    }
    CHECK(listener->seen.messages[0].session != listener->seen.messages[1].session);
    CHECK(listener->seen.messages[1].session != listener->seen.messages[2].session);
    CHECK(dialler->seen.downs.empty());
}

TEST_CASE("listening on all addresses works") {
    ZmqWorld world;
    const auto node = world.make("tcp://*:0");
    REQUIRE(node->transport->start(node->seen));
    const std::string endpoint = node->transport->bound_endpoint().value();
    const auto dialler = world.dialling();
    node->allow(*dialler);
    dialler->transport->dial({node->identity.id(), "tcp://127.0.0.1" + endpoint.substr(endpoint.rfind(':'))});
    CHECK(world.until([&] { return !dialler->seen.ups.empty(); }));
}

TEST_CASE("a bad endpoint is an error at start, and no crash when dialled") {
    ZmqWorld world;
    const auto node = world.make("tcp://nowhere.invalid:1");
    CHECK_FALSE(node->transport->start(node->seen));
    const auto dialler = world.dialling();
    dialler->transport->dial({node->identity.id(), "nonsense"});
    dialler->transport->dial({protocol::Identity::generate().id(), "tcp://127.0.0.1:1"});
    world.run_for(400ms);
    CHECK(dialler->seen.ups.empty());
}

TEST_CASE("bulk moves fast when nothing holds it up") {
    ZmqWorld world;
    const auto listener = world.listening();
    const auto dialler = world.dialling();
    listener->allow(*dialler);
    dialler->transport->dial(listener->address());
    REQUIRE(world.until([&] { return !dialler->seen.ups.empty(); }));
    constexpr std::size_t kChunks = 50;
    const auto before = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < kChunks; ++i)
        dialler->transport->send(dialler->seen.ups[0].session, message(7, i, 8, protocol::kMaxPayload),
                                 Priority::bulk);
    REQUIRE(world.until([&] { return listener->seen.messages.size() == kChunks; }));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
    const double rate = kChunks * protocol::kMaxPayload / seconds / 1e6;
    MESSAGE(rate << " MB/s");
    CHECK(rate > 5);
}
