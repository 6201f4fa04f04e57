#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "world.hpp"

using namespace unlearn::network;
using namespace unlearn::network::test;

TEST_CASE("in-memory nodes on different threads exchange messages while links are cut and healed") {
    MemoryNetwork network;
    Node one;
    Node two;
    unlearn::asio::io_context io_one;
    unlearn::asio::io_context io_two;
    one.transport =
        std::make_unique<MemoryTransport>(io_one, network, one.identity.id(), "tcp://127.0.0.1:0");
    two.transport = std::make_unique<MemoryTransport>(io_two, network, two.identity.id(), std::nullopt);
    REQUIRE(one.transport->start(one.seen));
    REQUIRE(two.transport->start(two.seen));
    one.allow(two);
    two.transport->dial(one.address());

    std::atomic<int> answers{0};
    one.seen.answer = [&](const Recorder::Message& got) {
        one.transport->send(got.session, message(4, 1), Priority::normal);
    };
    two.seen.answer = [&](const Recorder::Message&) { ++answers; };
    std::atomic<bool> stop{false};
    std::thread first([&] {
        while (!stop)
            io_one.run_for(1ms), io_one.restart();
        one.transport->stop();
    });
    std::thread second([&] {
        while (!stop) {
            io_two.run_for(1ms);
            io_two.restart();
            if (!two.seen.ups.empty())
                two.transport->send(two.seen.ups.back().session, message(3, 1), Priority::normal);
        }
        two.transport->stop();
    });
    for (int round = 0; round < 5; ++round) {
        std::this_thread::sleep_for(40ms);
        network.cut(one.identity.id(), two.identity.id());
        std::this_thread::sleep_for(10ms);
        network.heal(one.identity.id(), two.identity.id());
    }
    std::this_thread::sleep_for(100ms);
    stop = true;
    first.join();
    second.join();
    CHECK(answers > 0);
    CHECK(two.seen.downs.size() >= 2);
    CHECK(two.seen.ups.size() >= 3);
}

TEST_CASE("the judge of an in-memory network can drop and double messages") {
    MemoryWorld world;
    const auto listener = world.listening();
    const auto dialler = world.dialling();
    listener->allow(*dialler);
    dialler->transport->dial(listener->address());
    REQUIRE(world.until([&] { return !dialler->seen.ups.empty(); }));
    world.network.set_judge([](const auto&, const auto&, const Frames& frames) {
        if (number_of(frames) == 1) return MemoryNetwork::Fate::drop;
        return number_of(frames) == 2 ? MemoryNetwork::Fate::duplicate : MemoryNetwork::Fate::deliver;
    });
    for (const std::uint64_t number : {1, 2, 3})
        dialler->transport->send(dialler->seen.ups[0].session, message(3, number), Priority::normal);
    REQUIRE(world.until([&] { return listener->seen.messages.size() == 3; }));
    CHECK(number_of(listener->seen.messages[0].frames) == 2);
    CHECK(number_of(listener->seen.messages[1].frames) == 2);
    CHECK(number_of(listener->seen.messages[2].frames) == 3);
}

TEST_CASE("in memory, too, broken rules end the session and are reported") {
    MemoryWorld world;
    const auto listener = world.listening();
    const auto dialler = world.dialling();
    listener->allow(*dialler);
    dialler->transport->dial(listener->address());
    REQUIRE(world.until([&] { return !dialler->seen.ups.empty(); }));
    Frames bad = message(7, 9, 8, 8);
    bad.emplace_back(1);
    dynamic_cast<MemoryTransport&>(*dialler->transport)
        .send_unchecked(dialler->seen.ups[0].session, bad, Priority::normal);
    REQUIRE(world.until([&] { return !listener->seen.malformed.empty(); }));
    CHECK(listener->seen.malformed[0].key == dialler->identity.id().curve_key());
    CHECK(listener->seen.messages.empty());
    CHECK(world.until([&] { return !dialler->seen.downs.empty(); }));
}
