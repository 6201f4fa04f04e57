#include <array>

#include <doctest/doctest.h>

#include "tests/support/engine_network.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

/// Whole engines that compare exits in version 2 of the wire format, and in version 1 with an older one.

namespace {

constexpr std::size_t kNobody = SIZE_MAX;

/// a and b are neighbours; what b has on its disk is set before it starts.
struct ReconciledPair {
    EngineNetwork net;
    std::size_t bytes = 0;
    std::array<std::size_t, 3> bytes_of{};    ///< by sender
    std::array<std::size_t, 3> queries_of{};  ///< since the others were cut off

    explicit ReconciledPair(EngineNetwork::AdjustConfig adjust = nullptr)
        : net({"a", "b", "c"}, {{0, 1}, {1, 2}, {0, 2}}, std::move(adjust)) {
        net.filter = [this](std::size_t from, std::size_t, const Frames& frames) {
            for (const auto& frame : frames) {
                bytes += frame.size();
                bytes_of[from] += frame.size();
            }
            if (frames[0][3] == static_cast<std::uint8_t>(Kind::exit_query)) ++queries_of[from];
            return true;
        };
        net.start();
        net.cut(0, 2);
        net.cut(1, 2);
        queries_of = {};
    }
    /// Puts exits of strangers on the disk of `node`, and restarts it.
    void strangers_left(std::size_t node, std::uint32_t count, std::uint32_t first = 0,
                        const Identity* network_key = nullptr) {
        for (std::uint32_t i = first; i < first + count; ++i) {
            const Identity unknown = stranger(i);
            ExitNotice notice{unknown.id(), {}, std::nullopt};
            if (network_key != nullptr)
                notice.membership = sign_membership(*network_key, net.network(), Membership{unknown.id()});
            net[node].disk.tombstones.push_back(
                {unknown.id(), sign_notice(unknown, net.network(), notice), {}});
        }
        net.crash_and_restart(node);
    }
    [[nodiscard]] std::size_t bytes_in(std::chrono::milliseconds time) {
        bytes = 0;
        bytes_of = {};
        net.run_for(time);
        return bytes;
    }
    [[nodiscard]] std::size_t dropped() {
        std::size_t count = 0;
        for (std::size_t i = 0; i < 3; ++i)
            count += net[i].engine->counters().peers_dropped;
        return count;
    }
};

EngineNetwork::AdjustConfig with_key(const Identity& key, std::size_t old_node = kNobody) {
    return [&key, old_node](std::size_t node, EngineConfig& config) {
        config.network_key = key.id();
        if (node == old_node) config.wire.newest = 1;
    };
}

}  // namespace

TEST_CASE("what one of two neighbours knows, the other one learns, in bytes that follow the difference") {
    const Identity key = stranger(1'000'000);
    ReconciledPair pair(with_key(key));
    auto& net = pair.net;
    pair.bytes = 0;
    pair.strangers_left(0, 3'000, 0, &key);
    net.run_for(60s);
    CHECK(net[1].engine->tombstones().size() == 3'000);
    CHECK(pair.bytes > 3'000 * 200);
    CHECK(pair.bytes < 3'000 * 700);
    // Equal sets cost a few hundred bytes for each comparison.
    CHECK(pair.bytes_in(60s) < 60 / 5 * 2 * 300);
    // Two more on each side, which the other one missed.
    pair.strangers_left(0, 2, 5'000, &key);
    CHECK(pair.bytes_in(60s) < 30'000);
    pair.strangers_left(1, 2, 6'000, &key);
    CHECK(pair.bytes_in(60s) < 30'000);
    CHECK(net[0].engine->tombstones().size() == 3'004);
    CHECK(net[1].engine->tombstones().size() == 3'004);
    CHECK(pair.dropped() == 0);
}

TEST_CASE("a hundred thousand exits that may not be taken yet cost little each hour, and cut nobody off") {
    ReconciledPair pair;
    auto& net = pair.net;
    pair.strangers_left(1, 100'000);
    const std::size_t first_minute = pair.bytes_in(1min);
    CHECK(net[0].engine->tombstones().size() == kMaxIntroductionsPerDay);
    CHECK(first_minute < 200'000);
    // A link of 64 kbit/s carries 28.8 MB in an hour.
    const std::size_t hour = pair.bytes_in(1h);
    CHECK(hour < 1'000'000);
    CHECK(net[0].engine->tombstones().size() > kMaxIntroductionsPerDay);
    CHECK(net[0].engine->tombstones().size() < kMaxIntroductionsPerDay + 10);
    CHECK(net[0].engine->counters().exits_put_off == 0);
    CHECK(pair.dropped() == 0);
    CHECK(net[0].engine->counters().comparisons > 600);
    // The control: an exit that can be taken still comes through.
    pair.net.exit(1);
    net.run_for(1s);
    CHECK(net[0].engine->has_tombstone(net.id(1)));
}

TEST_CASE(
    "with a hundred thousand exits put off, seeds from disk leave quarantine, and those of leavers never") {
    ReconciledPair pair;
    auto& net = pair.net;
    for (std::size_t i = 0; i < 3; ++i)
        net.publish(i);
    net.mend(0, 2);
    net.run_for(20s);
    REQUIRE(net[0].in_ensemble.contains(net.id(2)));
    REQUIRE(net[0].in_ensemble.contains(net.id(1)));
    net.cut(0, 2);
    // b alone hears that c has left, and of many strangers.
    net.cut(0, 1);
    net.feed(1, SubmitNotice{sign_notice(*net[2].identity, net.network(), ExitNotice{net.id(2), {}, {}})});
    pair.strangers_left(1, 20'000);
    net.filter = [](std::size_t, std::size_t, const Frames&) { return false; };
    net.crash_and_restart(0);
    net.run_for(3s);
    CHECK(net[0].in_ensemble.empty());
    SUBCASE("the neighbour sends the notice") {
        net.filter = nullptr;
        net.mend(0, 1);
        net.run_for(20s);
        CHECK(net[0].engine->has_tombstone(net.id(2)));
        CHECK(net[0].in_ensemble == std::set<NodeId>{net.id(1)});
    }
    SUBCASE("the neighbour names the exit and never sends the notice") {
        net.filter = [](std::size_t from, std::size_t, const Frames& frames) {
            return from != 1 || frames[0][3] != static_cast<std::uint8_t>(Kind::exit);
        };
        net.mend(0, 1);
        net.run_for(60s);
        CHECK_FALSE(net[0].engine->has_tombstone(net.id(2)));
        CHECK(net[0].in_ensemble.empty());  // only c, as far as a knows, could vouch for b
    }
    for (const auto& event : net[0].events)
        CHECK_FALSE((event.kind == EventKind::seed_resumed && event.subject == net.id(2)));
}

TEST_CASE("who asks without end is answered within a limit") {
    ReconciledPair pair;
    auto& net = pair.net;
    pair.strangers_left(0, 1'000);
    std::size_t answered = 0;
    net.filter = [&](std::size_t from, std::size_t, const Frames& frames) {
        if (from == 0 && frames[0][3] == static_cast<std::uint8_t>(Kind::exit_answer)) ++answered;
        return from != 0;
    };
    ExitQuery query;
    for (std::uint8_t i = 0; i < kMaxRangesAsked; ++i)
        query.ranges.push_back(IdRange::around(ExitedId{{i}}, 2));
    for (std::uint64_t i = 0; i < 3'000; ++i)
        net.inject(1, 0, encode({1'000 + i, query}));
    CHECK(answered >= 1'000);
    CHECK(answered <= kExitAnswerBurst / (kMaxRangesAsked + 1) + 1);
    CHECK(net[0].engine->counters().messages_ignored >= 1'900);
}

TEST_CASE("a node of version 1 and one of version 2 tell each other what they know, within limits") {
    const Identity key = stranger(1'000'000);
    ReconciledPair pair(with_key(key, 1));
    auto& net = pair.net;
    pair.strangers_left(0, 300, 0, &key);
    pair.strangers_left(1, 300, 1'000, &key);
    net.run_for(60s);
    CHECK(net[0].engine->tombstones().size() == 600);
    CHECK(net[1].engine->tombstones().size() == 600);
    CHECK(pair.queries_of == std::array<std::size_t, 3>{});
    CHECK(pair.dropped() == 0);
}

TEST_CASE("a neighbour of version 1 that puts strangers off is sent so many bytes, and no more") {
    ReconciledPair pair([](std::size_t node, EngineConfig& config) {
        if (node == 1) config.wire.newest = 1;
    });
    pair.strangers_left(0, 8'000);
    static_cast<void>(pair.bytes_in(60s));
    CHECK(pair.bytes_of[0] < 1.5 * kDeltaByteBurst);
    static_cast<void>(pair.bytes_in(20min));
    CHECK(pair.bytes_of[0] > 1'000'000);
    CHECK(pair.bytes_of[0] < 1'200 * (kDeltaBytesPerSecond + 1'000));
    CHECK(pair.dropped() == 0);
}
