#include "sim/experiments/link.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "protocol/messages.hpp"

using namespace unlearn::sim::experiments;
using namespace unlearn::sim::virtual_world;
using namespace unlearn::protocol;
using namespace std::chrono_literals;

namespace {

/// A message of this kind with so many bytes in all.
unlearn::network::Frames message(Kind kind, std::size_t bytes) {
    Bytes header(kHeaderSize);
    header[3] = static_cast<std::uint8_t>(kind);
    return {header, Bytes(bytes - kHeaderSize)};
}

NodeId node(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return Identity::from_seed(seed).id();
}

struct Sent {
    int lost = 0;
    SteadyTime longest{};
};

Sent send_many(LinkSettings settings, int count, std::size_t bytes) {
    VirtualTime time;
    Link link(settings, time, 1);
    const NodeId from = node(1);
    const NodeId to = node(2);
    Sent sent;
    for (int i = 0; i < count; ++i) {
        const Fate fate = link.judge(from, to, message(Kind::have, bytes));
        sent.lost += fate.copies == 0 ? 1 : 0;
        sent.longest = std::max(sent.longest, fate.delay);
    }
    return sent;
}

}  // namespace

TEST_CASE("nothing is lost or late on a perfect link") {
    const auto sent = send_many({}, 1000, 5000);
    CHECK(sent.lost == 0);
    CHECK(sent.longest == 0us);
}

TEST_CASE("messages are lost as often as the settings say") {
    LinkSettings settings;
    settings.loss = 0.2;
    const auto sent = send_many(settings, 10'000, 100);
    CHECK(sent.lost > 1800);
    CHECK(sent.lost < 2200);
    CHECK(sent.longest == 0us);
}

TEST_CASE("lost packets make messages late, and long messages more often") {
    LinkSettings settings;
    settings.loss = 0.05;
    settings.lost = LinkSettings::Lost::packet;
    const auto late = [&](std::size_t bytes) {
        VirtualTime time;
        Link link(settings, time, 1);
        int count = 0;
        for (int i = 0; i < 1000; ++i) {
            const Fate fate = link.judge(node(1), node(2), message(Kind::chunk, bytes));
            CHECK(fate.copies == 1);
            CHECK((fate.delay == 0us || fate.delay >= 200ms));
            count += fate.delay > 0us ? 1 : 0;
        }
        return count;
    };
    const int one_packet = late(1000);
    const int twelve_packets = late(16'000);
    CHECK(one_packet > 20);
    CHECK(one_packet < 90);
    CHECK(twelve_packets > 350);
}

TEST_CASE("latency keeps within the jitter") {
    LinkSettings settings;
    settings.latency = 20ms;
    settings.jitter = 5ms;
    VirtualTime time;
    Link link(settings, time, 1);
    SteadyTime least = 1s;
    SteadyTime most{};
    for (int i = 0; i < 1000; ++i) {
        const auto latency = link.latency();
        least = std::min(least, latency);
        most = std::max(most, latency);
    }
    CHECK(least >= 15ms);
    CHECK(least < 16ms);
    CHECK(most <= 25ms);
    CHECK(most > 24ms);
}

TEST_CASE("messages wait for each other where bandwidth is short, and urgent ones for bulk never") {
    LinkSettings settings;
    settings.bytes_per_second = 100'000;
    VirtualTime time;
    Link link(settings, time, 1);
    const auto first = link.judge(node(1), node(2), message(Kind::chunk, 10'000)).delay;
    const auto second = link.judge(node(1), node(2), message(Kind::chunk, 10'000)).delay;
    const auto exit = link.judge(node(1), node(2), message(Kind::exit, 500)).delay;
    const auto third = link.judge(node(1), node(2), message(Kind::chunk, 10'000)).delay;
    const auto back = link.judge(node(2), node(1), message(Kind::chunk, 10'000)).delay;
    CHECK(first >= 100ms);
    CHECK(first < 105ms);
    CHECK(second == 2 * first);
    CHECK(exit < 7ms);
    CHECK(third == 3 * first + exit);
    CHECK(back == first);
}
