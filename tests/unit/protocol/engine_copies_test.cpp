#include <doctest/doctest.h>

#include "tests/support/engine_network.hpp"

/// Two processes with one identity: their neighbours say so.

using namespace unlearn::protocol;
using unlearn::testing::EngineNetwork;

namespace {

/// A new connection of node 1 to node 0, as a second process with its identity makes it.
void says_hello(EngineNetwork& net, SessionId session) {
    Hello hello;
    hello.network = net.network();
    hello.sender = net.id(1);
    net.feed(0, Received{session, net.id(1).curve_key(), encode(Envelope{1, hello})});
}

}  // namespace

TEST_CASE("connections of one identity that end each other, again and again, are told once") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net.settle();
    for (SessionId session = 1000; session < 1000 + kReplacementsOfCopies - 1; ++session)
        says_hello(net, session);
    CHECK(net[0].count(EventKind::peer_copied) == 0);
    says_hello(net, 2000);
    REQUIRE(net[0].count(EventKind::peer_copied) == 1);
    const auto& event = net[0].events.back();
    CHECK(event.subject == net.id(1));
    CHECK(event.detail.find("is there a copy of the node's folder?") != std::string::npos);
    for (SessionId session = 3000; session < 3020; ++session)
        says_hello(net, session);
    CHECK(net[0].count(EventKind::peer_copied) == 1);
}

TEST_CASE("a node that comes back after its link was silent, or now and then, is no copy") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net.settle();
    SUBCASE("after silence") {
        net.cut(0, 1);
        for (SessionId session = 1000; session < 1020; ++session) {
            net.run_for(kPeerSuspectAfter + kTickInterval);
            says_hello(net, session);
        }
    }
    SUBCASE("now and then") {
        net.cut(0, 1);
        for (SessionId session = 1000; session < 1020; ++session) {
            net.run_for(kReplacementsWithin / 2);
            says_hello(net, 2 * session);
            net.run_for(kTickInterval);
            says_hello(net, 2 * session + 1);
        }
    }
    CHECK(net[0].count(EventKind::peer_copied) == 0);
}
