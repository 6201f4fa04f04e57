#include <doctest/doctest.h>

#include "node/network/limits.hpp"
#include "node/network/send_queue.hpp"
#include "protocol/limits.hpp"
#include "world.hpp"

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

TEST_CASE("a message is a header and at most a body and a payload, each within its limit") {
    CHECK_FALSE(problem_with(message(3, 1)));
    CHECK_FALSE(problem_with(message(7, 1, protocol::kMaxBody, protocol::kMaxPayload)));
    CHECK(problem_with(Frames{}));
    CHECK(problem_with(Frames{protocol::Bytes(protocol::kHeaderSize - 1)}));
    CHECK(problem_with(message(7, 1, protocol::kMaxBody + 1)));
    CHECK(problem_with(message(7, 1, 8, protocol::kMaxPayload + 1)));
    Frames four = message(7, 1, 8, 8);
    four.emplace_back(1);
    CHECK(problem_with(four));
}

TEST_CASE("urgent leaves the queue before normal, normal before bulk, each in order") {
    SendQueue queue;
    REQUIRE(queue.push(message(7, 1), Priority::bulk));
    REQUIRE(queue.push(message(3, 2), Priority::normal));
    REQUIRE(queue.push(message(9, 3), Priority::urgent));
    REQUIRE(queue.push(message(9, 4), Priority::urgent));
    for (const std::uint64_t expected : {3, 4, 2, 1}) {
        CHECK(number_of(queue.next()) == expected);
        queue.pop();
    }
    CHECK(queue.empty());
    CHECK(queue.bytes() == 0);
}

TEST_CASE("the queue takes no more than its limit") {
    SendQueue queue;
    std::size_t taken = 0;
    while (queue.push(message(7, taken, 8, protocol::kMaxPayload), Priority::bulk))
        ++taken;
    CHECK(queue.bytes() <= kMaxQueuedBytes);
    CHECK(taken == kMaxQueuedBytes / wire_size(message(7, 0, 8, protocol::kMaxPayload)));
    queue.drop_bulk();
    CHECK(queue.bytes() == 0);
}
