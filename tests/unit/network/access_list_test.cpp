#include "node/network/access_list.hpp"

#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "node/network/limits.hpp"
#include "world.hpp"

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

namespace {

using Answer = AccessList::Answer;

AccessList::Key key(std::uint8_t number) {
    AccessList::Key made{};
    made.value[0] = number;
    return made;
}

const AccessList::Clock::time_point start{1h};

}  // namespace

TEST_CASE("an access list refuses every key that is not listed, until it is told to admit some") {
    AccessList access;
    CHECK(access.connecting(key(1), start) == Answer::refused);
    CHECK(access.problem_with_message(key(1), message(1, 1), start));
    const auto listed = key(1);
    access.allow({&listed, 1});
    CHECK(access.connecting(key(1), start) == Answer::allowed);
    CHECK_FALSE(access.problem_with_message(key(1), message(1, 1), start));
    CHECK(access.connecting(key(2), start) == Answer::refused);
    CHECK(access.allow({}) == std::vector{listed});
    CHECK(access.connecting(key(1), start) == Answer::refused);
    CHECK(access.counters() == ProvisionalCounters{});
}

TEST_CASE("an unknown key has one message of a hello's size, and a listed one any number") {
    AccessList access;
    access.admit_provisionally(8, 5s);
    const auto fits = message(1, 1, protocol::kMaxHelloBody);
    for (std::uint8_t number = 1; number <= 4; ++number)
        REQUIRE(access.connecting(key(number), start) == Answer::provisional);
    CHECK_FALSE(access.problem_with_message(key(1), fits, start));
    CHECK(access.problem_with_message(key(1), fits, start));
    CHECK(access.problem_with_message(key(2), message(1, 1, protocol::kMaxHelloBody + 1), start));
    CHECK(access.problem_with_message(key(2), fits, start));                 // it has spoken
    CHECK(access.problem_with_message(key(3), message(1, 1, 8, 0), start));  // with a payload
    CHECK(access.problem_with_message(key(4), fits, start + 5s));            // too late
    CHECK(access.problem_with_message(key(5), fits, start));                 // never admitted
    const auto listed = key(1);
    access.allow({&listed, 1});
    CHECK_FALSE(access.problem_with_message(key(1), message(7, 1, 8, 8), start + 6s));
    CHECK(access.counters().confirmed == 1);
}

TEST_CASE("slots are few, are freed by expiry, and whoever lost one is refused for twice its time") {
    AccessList access;
    access.admit_provisionally(2, 5s);
    CHECK(access.connecting(key(1), start) == Answer::provisional);
    CHECK(access.connecting(key(2), start + 1s) == Answer::provisional);
    CHECK(access.connecting(key(3), start + 1s) == Answer::refused);
    CHECK(access.next_deadline() == start + 5s);
    // Only the node's thread gives slots back, after it has ended the sessions.
    CHECK(access.connecting(key(3), start + 5s) == Answer::refused);
    CHECK_FALSE(access.is_known(key(1), start + 5s));
    CHECK(access.is_known(key(2), start + 5s));
    access.expire(start + 5s);
    CHECK(access.connecting(key(1), start + 5s) == Answer::refused);
    CHECK(access.connecting(key(3), start + 5s) == Answer::provisional);
    access.refuse(key(2), start + 5s);
    access.refuse(key(2), start + 5s);  // has none any more
    CHECK(access.connecting(key(2), start + 14s) == Answer::refused);
    CHECK(access.connecting(key(1), start + 16s) == Answer::provisional);
    const auto counted = access.counters();
    CHECK(counted.admitted == 4);
    CHECK(counted.expired == 1);
    CHECK(counted.broke_rules == 1);
    CHECK(counted.refused_full == 2);
}

TEST_CASE("an unknown key may lose a few connections, and has no more time for it") {
    AccessList access;
    access.admit_provisionally(1, 5s);
    for (std::size_t i = 0; i < kMaxProvisionalConnections; ++i)
        CHECK(access.connecting(key(1), start + i * 1s) == Answer::provisional);
    CHECK(access.connecting(key(1), start + 4s) == Answer::refused);
    CHECK(access.next_deadline() == start + 5s);
}

TEST_CASE("keys that are refused for a while do not fill the memory") {
    AccessList access;
    access.admit_provisionally(1, 5s);
    AccessList::Key last{};
    for (std::size_t i = 0; i < 2 * kMaxRefusedKeys; ++i) {
        last.value[0] = static_cast<std::uint8_t>(i);
        last.value[1] = static_cast<std::uint8_t>(i >> 8);
        const auto now = start + std::chrono::microseconds(i);
        REQUIRE(access.connecting(last, now) == Answer::provisional);
        access.refuse(last, now);
    }
    CHECK(access.connecting(last, start + 1s) == Answer::refused);
    CHECK(access.connecting(key(0), start + 1s) == Answer::provisional);  // the first one: forgotten
}

TEST_CASE("handshakes on one thread and changes on another never give out too many slots") {
    constexpr std::size_t kSlots = 4;
    AccessList access;
    access.admit_provisionally(kSlots, 1ms);
    std::atomic<bool> stop{false};
    std::thread handshakes([&] {
        for (std::uint32_t i = 0; !stop; ++i) {
            AccessList::Key stranger{};
            stranger.value[0] = static_cast<std::uint8_t>(i);
            stranger.value[1] = static_cast<std::uint8_t>(i >> 8);
            [[maybe_unused]] const auto answer = access.connecting(stranger, AccessList::Clock::now());
        }
    });
    std::uint64_t ended = 0;
    bool too_many = false;
    const auto until = AccessList::Clock::now() + 300ms;
    while (AccessList::Clock::now() < until) {
        access.expire(AccessList::Clock::now());
        const auto counted = access.counters();
        too_many |= counted.admitted - counted.expired - counted.confirmed > kSlots;
        const std::vector keys{key(1), key(2)};
        access.allow(keys);
        ended = counted.expired;
    }
    stop = true;
    handshakes.join();
    CHECK_FALSE(too_many);
    CHECK(ended > kSlots);  // so they were used again
}
