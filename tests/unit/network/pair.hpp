#pragma once

#include <doctest/doctest.h>

#include "world.hpp"

namespace unlearn::network::test {

/// A test case over real sockets and in memory; its world is W.
#define ON_BOTH(name) TEST_CASE_TEMPLATE(name, W, ZmqWorld, MemoryWorld)

/// A listener that lets the dialler in, and the session of the dialler.
template <typename W>
struct Pair {
    W world;
    std::unique_ptr<Node> listener = world.listening();
    std::unique_ptr<Node> dialler = world.dialling();
    SessionId session = 0;

    Pair() {
        listener->allow(*dialler);
        dialler->transport->dial(listener->address());
        REQUIRE(world.until([&] { return !dialler->seen.ups.empty(); }));
        session = dialler->seen.ups[0].session;
    }
};

}  // namespace unlearn::network::test
