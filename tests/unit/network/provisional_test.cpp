// Unknown keys that are let in for a moment, over real sockets and in memory.
#include "pair.hpp"
#include "protocol/limits.hpp"

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

namespace {

constexpr auto kTime = 400ms;
/// No session ends because of it.
constexpr auto kEver = 10min;

/// A listener that knows nobody and admits strangers, and one of them, connected.
template <typename W>
struct Stranger {
    W world;
    std::unique_ptr<Node> listener = world.listening();
    std::unique_ptr<Node> dialler = world.dialling();
    SessionId session = 0;
    std::chrono::steady_clock::time_point up_at;

    explicit Stranger(std::size_t at_most = 32, std::chrono::milliseconds time = kTime) {
        listener->transport->admit_provisionally(at_most, time);
        dialler->transport->dial(listener->address());
        REQUIRE(world.until([&] { return !dialler->seen.ups.empty(); }));
        session = dialler->seen.ups[0].session;
        up_at = std::chrono::steady_clock::now();
    }
    void say(const Frames& frames) { dialler->transport->send(session, frames, Priority::urgent); }
    [[nodiscard]] ProvisionalCounters counted() const { return listener->transport->traffic().provisional; }
    /// The session is over, and the key gets no other one for a while.
    void is_out() {
        REQUIRE(world.until([&] { return !dialler->seen.downs.empty(); }));
        CHECK(dialler->seen.downs == std::vector{session});
        world.run_for(kTime);
        CHECK(dialler->seen.ups.size() == 1);
    }
};

}  // namespace

ON_BOTH("without being told to, a node admits no stranger, and after being told to stop none any more") {
    W world;
    const auto listener = world.listening();
    const auto dialler = world.dialling();
    dialler->transport->dial(listener->address());
    world.run_for(500ms);
    CHECK(dialler->seen.ups.empty());
    listener->transport->admit_provisionally(32, kEver);
    REQUIRE(world.until([&] { return dialler->seen.ups.size() == 1; }));
    listener->transport->admit_provisionally(0, kEver);
    CHECK(world.until([&] { return dialler->seen.downs.size() == 1; }));
    world.run_for(1s);
    CHECK(dialler->seen.ups.size() == 1);
    CHECK(listener->transport->traffic().provisional.admitted == 1);
}

ON_BOTH("a stranger says hello, is listed because of it, and stays") {
    Stranger<W> stranger;
    stranger.listener->seen.answer = [&](const Recorder::Message& got) {
        CHECK(got.key == stranger.dialler->identity.id().curve_key());
        stranger.listener->allow(*stranger.dialler);
        stranger.listener->transport->send(got.session, message(1, 1), Priority::urgent);
    };
    stranger.say(message(1, 1, protocol::kMaxHelloBody));
    REQUIRE(stranger.world.until([&] { return !stranger.dialler->seen.messages.empty(); }));
    stranger.world.run_for(2 * kTime);
    for (std::uint64_t i = 2; i < 50; ++i)
        stranger.say(message(7, i, 16, protocol::kMaxPayload));
    CHECK(stranger.world.until([&] { return stranger.listener->seen.messages.size() == 49; }));
    CHECK(stranger.dialler->seen.downs.empty());
    CHECK(stranger.listener->seen.malformed.empty());
    CHECK(stranger.counted() == ProvisionalCounters{.admitted = 1, .confirmed = 1});
}

ON_BOTH("a stranger that is not listed in time is out, whether it said hello or kept silent") {
    for (const bool speaks : {true, false}) {
        CAPTURE(speaks);
        Stranger<W> stranger;
        if (speaks) stranger.say(message(1, 1));
        stranger.is_out();
        CHECK(std::chrono::steady_clock::now() - stranger.up_at < 10 * kTime);
        CHECK(stranger.listener->seen.messages.size() == (speaks ? 1 : 0));
        CHECK(stranger.listener->seen.malformed.empty());
        CHECK(stranger.counted() == ProvisionalCounters{.admitted = 1, .expired = 1});
        // In the end it may try again, and being listed lets it in at once.
        stranger.listener->allow(*stranger.dialler);
        CHECK(stranger.world.until([&] { return stranger.dialler->seen.ups.size() == 2; }));
    }
}

ON_BOTH("a stranger that says too much is out, and what was too much is not delivered") {
    const std::vector<std::vector<Frames>> too_much{
        {message(1, 1), message(1, 2)},
        {message(1, 2, protocol::kMaxHelloBody + 1)},
        {message(1, 2, 8, 0)},
    };
    for (const auto& said : too_much) {
        Stranger<W> stranger;
        for (const Frames& frames : said)
            stranger.say(frames);
        stranger.is_out();
        CHECK(stranger.listener->seen.messages.size() == said.size() - 1);
        REQUIRE(stranger.listener->seen.malformed.size() == 1);
        CHECK(stranger.listener->seen.malformed[0].key == stranger.dialler->identity.id().curve_key());
        CHECK(stranger.counted() == ProvisionalCounters{.admitted = 1, .broke_rules = 1});
    }
}

ON_BOTH("a stranger whose session we close is out, and its slot is free at once") {
    Stranger<W> stranger(1, kEver);
    const auto second = stranger.world.dialling();
    stranger.listener->seen.answer = [&](const Recorder::Message& got) {
        stranger.listener->transport->send(got.session, message(8, 1), Priority::urgent);
        stranger.listener->transport->close(got.session);
    };
    stranger.say(message(1, 1));
    REQUIRE(stranger.world.until([&] { return !stranger.dialler->seen.downs.empty(); }));
    CHECK(stranger.dialler->seen.messages.size() == 1);
    second->transport->dial(stranger.listener->address());
    CHECK(stranger.world.until([&] { return !second->seen.ups.empty(); }));
    CHECK(stranger.counted() == ProvisionalCounters{.admitted = 2, .broke_rules = 1});
}

ON_BOTH("32 strangers get in, the 33rd does not, and does when one of them is listed") {
    constexpr std::size_t kMost = 32;
    W world;
    const auto listener = world.listening();
    listener->transport->admit_provisionally(kMost, kEver);
    std::vector<std::unique_ptr<Node>> strangers;
    for (std::size_t i = 0; i <= kMost; ++i) {
        strangers.push_back(world.dialling());
        strangers.back()->transport->dial(listener->address());
    }
    const auto in = [&] {
        return std::ranges::count_if(strangers, [](const auto& one) { return !one->seen.ups.empty(); });
    };
    REQUIRE(world.until([&] { return in() == kMost; }));
    world.run_for(500ms);
    CHECK(in() == kMost);
    CHECK(listener->transport->traffic().provisional.refused_full > 0);
    const auto lucky =
        std::ranges::find_if(strangers, [](const auto& one) { return !one->seen.ups.empty(); });
    listener->allow(**lucky);
    CHECK(world.until([&] { return in() == kMost + 1; }));
    CHECK(listener->transport->traffic().provisional.admitted == kMost + 1);
}

ON_BOTH("neighbours on the list are not held up by strangers who take all slots") {
    W world;
    const auto listener = world.listening();
    const auto neighbour = world.dialling();
    listener->allow(*neighbour);
    listener->transport->admit_provisionally(1, kTime);
    const auto stranger = world.dialling();
    stranger->transport->dial(listener->address());
    REQUIRE(world.until([&] { return !stranger->seen.ups.empty(); }));
    neighbour->transport->dial(listener->address());
    REQUIRE(world.until([&] { return !neighbour->seen.ups.empty(); }));
    for (std::uint64_t i = 0; i < 10; ++i)
        neighbour->transport->send(neighbour->seen.ups[0].session, message(7, i, 8, 60000), Priority::bulk);
    CHECK(world.until([&] { return listener->seen.messages.size() == 10; }));
    world.run_for(2 * kTime);
    CHECK(neighbour->seen.downs.empty());
    CHECK(stranger->seen.downs.size() == 1);
}
