#include <filesystem>

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

namespace {

/// Whether a node that listens at `where` is reached at `host`, which stands before the port.
bool reaches(const std::string& where, const std::string& host) {
    ZmqWorld world;
    const auto node = world.make(where);
    const auto started = node->transport->start(node->seen);
    REQUIRE_MESSAGE(started, started.error().detail);
    const std::string endpoint = node->transport->bound_endpoint().value();
    const auto dialler = world.dialling();
    node->allow(*dialler);
    dialler->transport->dial({node->identity.id(), host + endpoint.substr(endpoint.rfind(':'))});
    return world.until([&] { return !dialler->seen.ups.empty(); }, 10s);
}

}  // namespace

TEST_CASE("a node is reached at each of its addresses, whichever way they are written") {
    CHECK(reaches("tcp://*:0", "tcp://127.0.0.1"));
    CHECK(reaches("tcp://localhost:0", "tcp://127.0.0.1"));
    CHECK(reaches("tcp://lo:0", "tcp://127.0.0.1"));
    // The name may have an IPv6 address first, at which nobody listens: then the other one is tried.
    CHECK(reaches("tcp://127.0.0.1:0", "tcp://localhost"));
    if (!std::filesystem::exists("/proc/net/if_inet6")) return;
    CHECK(reaches("tcp://*:0", "tcp://[::1]"));
    CHECK(reaches("tcp://[::]:0", "tcp://127.0.0.1"));
    CHECK(reaches("tcp://[::1]:0", "tcp://[::1]"));
}

TEST_CASE("where a node listens is told as its user wrote it") {
    ZmqWorld world;
    for (const char* host : {"tcp://*", "tcp://localhost", "tcp://127.0.0.1"}) {
        const auto node = world.make(host + std::string(":0"));
        REQUIRE(node->transport->start(node->seen));
        CHECK(node->transport->bound_endpoint()->starts_with(host + std::string(":")));
        CHECK_FALSE(node->transport->bound_endpoint()->ends_with(":0"));
    }
    const auto wrong = world.make("tcp://no-such-interface:0");
    const auto started = wrong->transport->start(wrong->seen);
    REQUIRE_FALSE(started);
    CHECK(started.error().detail ==
          "cannot listen on tcp://no-such-interface:0: 'no-such-interface' is neither an address of this "
          "machine "
          "nor one of its network interfaces");
}

TEST_CASE("a host that nobody knows is told once, and tried again") {
    ZmqWorld world;
    const auto dialler = world.dialling();
    const auto peer = protocol::Identity::generate().id();
    dialler->transport->dial({peer, "tcp://nowhere.invalid:7411"});
    REQUIRE(world.until([&] { return !dialler->seen.unresolved.empty(); }));
    CHECK(dialler->seen.unresolved.front().first == peer);
    CHECK(dialler->seen.unresolved.front().second.starts_with("nowhere.invalid: "));
    world.run_for(1s);
    CHECK(dialler->seen.unresolved.size() == 1);
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
