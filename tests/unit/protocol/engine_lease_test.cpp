#include <doctest/doctest.h>

#include "tests/support/engine_network.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

void short_leases(std::size_t, EngineConfig& config) {
    config.lease_time = 60s;
    config.lease_renewal = 10s;
}

struct LeaseLine {
    EngineNetwork net;

    explicit LeaseLine(EngineNetwork::AdjustConfig adjust = short_leases)
        : net({"a", "b", "c"}, {{0, 1}, {1, 2}}, std::move(adjust)) {
        net.start();
        for (std::size_t i = 0; i < 3; ++i)
            net.publish(i, 30'000, static_cast<std::uint8_t>(i));
        net.settle();
    }
    [[nodiscard]] bool uses(std::size_t holder, std::size_t owner) {
        const bool in_ensemble = net[holder].in_ensemble.contains(net.id(owner));
        CHECK(in_ensemble == net[holder].engine->seeds_in_use().contains(net.id(owner)));
        return in_ensemble;
    }
    [[nodiscard]] SeedState state(std::size_t holder, std::size_t owner) {
        for (const auto& seed : net[holder].engine->held_seeds())
            if (seed.owner == net.id(owner)) return seed.state;
        FAIL("no such seed");
        return {};
    }
};

void start_from_backup(EngineNetwork& net, std::size_t node, bool restored = true) {
    net[node].disk.held_seeds.clear();
    net[node].disk.held_leases.clear();
    net[node].disk.restored = net[node].disk.ever_restored = restored;
    net.crash_and_restart(node);
}

}  // namespace

TEST_CASE("a seed is used as long as its owner renews the lease, and comes back when it does again") {
    LeaseLine line;
    auto& net = line.net;
    net.run_for(200s);
    CHECK(line.uses(1, 0));
    CHECK(net[1].count(EventKind::seed_suspended) == 0);

    net.cut(0, 1);
    net.run_for(45s);
    CHECK(line.uses(1, 0));
    net.run_for(30s);
    CHECK_FALSE(line.uses(1, 0));
    CHECK(line.state(1, 0) == SeedState::lease_ended);
    CHECK_FALSE(net[1].engine->may_use(net.id(0), SeedVersion{1}));
    // It is still there: nothing is fetched again.
    const auto gets = net[1].sent.size();
    net.mend(0, 1);
    net.run_for(2s);
    CHECK(line.uses(1, 0));
    for (std::size_t i = gets; i < net[1].sent.size(); ++i)
        CHECK(net[1].sent[i].frames[0][3] != static_cast<std::uint8_t>(Kind::get));
}

TEST_CASE("the end of the last lease of every recipient is on record before the lease is given") {
    LeaseLine line;
    auto& net = line.net;
    net.run_for(100s);
    const auto recorded = [&] {
        for (const auto& recipient : net[0].disk.recipients)
            if (recipient.peer == net.id(1)) return recipient.lease_until;
        return WallTime{};
    };
    CHECK(recorded() >= net[1].disk.held_leases.front().not_after);
    net[0].storage_hangs = true;
    const auto before = recorded();
    const auto held = [&] {
        for (const auto& seed : net[1].engine->held_seeds())
            if (seed.owner == net.id(0)) return seed.lease_until;
        return WallTime{};
    };
    const auto lease_before = held();
    net.run_for(30s);
    CHECK(held() == lease_before);
    net.release_storage(0);
    net.run_for(1s);
    CHECK(held() > lease_before);
    CHECK(recorded() >= held());
    CHECK(recorded() > before);
}

TEST_CASE("a node that is leaving renews nothing") {
    LeaseLine line;
    auto& net = line.net;
    net[1].storage_hangs = true;  // so that the exit cannot be acknowledged
    net.exit(0);
    net.settle();
    const auto number = net[0].disk.own_lease->number;
    net.run_for(100s);
    CHECK(net[0].disk.own_lease->number == number);
}

TEST_CASE("a clock that stands still prolongs nothing: the boot-time clock ends the lease too") {
    LeaseLine line([](std::size_t, EngineConfig& config) {
        short_leases(0, config);
        if (config.random_seed == 1) config.lease_time = 10'000h;  // a is a liar
    });
    auto& net = line.net;
    net.cut(0, 1);
    net.run_for(75s);
    CHECK_FALSE(line.uses(1, 0));
}

TEST_CASE(
    "an owner that signs a later end than it may gains nothing, not with restarts of the holder either") {
    LeaseLine line([](std::size_t node, EngineConfig& config) {
        short_leases(node, config);
        if (node == 0) config.lease_time = 24h;
    });
    auto& net = line.net;
    net.cut(0, 1);
    net.run_for(20s);
    net.crash_and_restart(1);
    net.run_for(20s);
    CHECK(line.uses(1, 0));
    net.crash_and_restart(1);
    net.run_for(30s);
    CHECK_FALSE(line.uses(1, 0));
    CHECK(line.state(1, 0) == SeedState::lease_ended);
}

TEST_CASE("a wall clock that is set back prolongs no lease, not with a restart either") {
    LeaseLine line;
    auto& net = line.net;
    net.cut(0, 1);
    net.run_for(50s);
    CHECK(line.uses(1, 0));
    SUBCASE("set back, the seed stays out of use until its owner is there") {
        net[1].clock_error = -1h;
        net.crash_and_restart(1);
        net.run_for(20s);  // c says that it knows of no exit
        CHECK_FALSE(line.uses(1, 0));
        net.mend(0, 1);
        net.run_for(20s);
        CHECK(line.uses(1, 0));
        CHECK(line.uses(1, 2));
    }
    SUBCASE("left alone, it is used again until the lease ends") {
        net.crash_and_restart(1);
        net.run_for(6s);
        CHECK(line.uses(1, 0));
        net.run_for(20s);
        CHECK_FALSE(line.uses(1, 0));
    }
}

TEST_CASE("seeds from disk wait until their owner or any neighbour was heard") {
    LeaseLine line;
    auto& net = line.net;
    SUBCASE("nobody is there") {
        net.cut(0, 1);
        net.cut(1, 2);
        net.filter = [](std::size_t, std::size_t, const Frames&) { return false; };
        net.crash_and_restart(1);
        net.run_for(10s);
        CHECK_FALSE(line.uses(1, 0));
        CHECK(line.state(1, 0) == SeedState::quarantined);
        CHECK_FALSE(net[1].engine->may_use(net.id(0), SeedVersion{1}));
        net.filter = nullptr;
        net.mend(1, 2);
        net.run_for(10s);
        CHECK(line.uses(1, 0));  // c said that it knows of no exit; a is still away
    }
    SUBCASE("a neighbour knows of the owner's exit") {
        net.cut(1, 2);
        net.crash_and_restart(2);
        CHECK(line.state(2, 1) == SeedState::quarantined);
        net.exit(0);
        net.settle();
        net.mend(1, 2);
        net.run_for(1s);
        CHECK(line.uses(2, 1));
        CHECK(net[2].engine->has_tombstone(net.id(0)));
    }
    SUBCASE("a seed whose exit the neighbour knows is not cleared for a moment") {
        // b restarts while a leaves; c has heard of it by other means.
        net.cut(0, 1);
        const auto notice = sign_notice(*net[0].identity, net.network(), ExitNotice{net.id(0), {}, {}});
        net.cut(1, 2);
        net.feed(2, SubmitNotice{notice});
        net.settle();
        net.crash_and_restart(1);
        CHECK_FALSE(line.uses(1, 0));
        net.mend(1, 2);
        net.run_for(10s);
        CHECK_FALSE(line.uses(1, 0));
        for (const auto& event : net[1].events)
            CHECK_FALSE((event.kind == EventKind::seed_resumed && event.subject == net.id(0)));
        CHECK(net[1].engine->has_tombstone(net.id(0)));
    }
    SUBCASE("everybody lost power at once") {
        for (std::size_t i = 0; i < 3; ++i)
            net.crash_and_restart(i);
        net.run_for(15s);
        CHECK(line.uses(0, 1));
        CHECK(line.uses(1, 0));
        CHECK(line.uses(1, 2));
        CHECK(line.uses(2, 1));
    }
}

TEST_CASE("a seed that would do harm is kept, shown and not used, and may be judged again") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net.publish(1, 30'000, 1);
    net.settle();
    CHECK(net[0].in_ensemble.size() == 1);

    net[0].seeds_aside = "worse than chance";
    net.publish(1, 30'000, 2);
    net.settle();
    CHECK(net[0].in_ensemble.empty());
    const auto seeds = net[0].engine->held_seeds();
    REQUIRE(seeds.size() == 1);
    CHECK(seeds[0].state == SeedState::held_aside);
    CHECK(seeds[0].detail == "worse than chance");
    CHECK(seeds[0].version == SeedVersion{2});
    CHECK_FALSE(net[0].engine->may_use(net.id(1), SeedVersion{2}));

    net.feed(0, SeedJudged{net.id(1), SeedVersion{2}, std::nullopt});
    CHECK(net[0].in_ensemble.size() == 1);
    net.feed(0, SeedJudged{net.id(1), SeedVersion{2}, "constant"});
    CHECK(net[0].in_ensemble.empty());
    // It goes with its owner as any other.
    net.exit(1);
    net.settle();
    CHECK(net[0].disk.held_seeds.empty());
    CHECK(net[1].engine->own_exit().complete);
}

TEST_CASE(
    "a node from a backup uses a seed when another neighbour than its owner knows of no exit that it "
    "missed") {
    LeaseLine line;
    auto& net = line.net;
    SUBCASE("only the owner is there, and there is another neighbour") {
        net.cut(1, 2);
        start_from_backup(net, 1, true);
        net.run_for(10s);
        CHECK_FALSE(line.uses(1, 0));
        CHECK(line.state(1, 0) == SeedState::quarantined);
        CHECK_FALSE(net[1].engine->may_use(net.id(0), SeedVersion{1}));
        CHECK(net[1].disk.restored);
        // A crash does not make it forget that it knows too little.
        net.crash_and_restart(1);
        net.run_for(10s);
        CHECK_FALSE(line.uses(1, 0));
        net.mend(1, 2);
        net.run_for(10s);
        CHECK(line.uses(1, 0));
        CHECK(line.uses(1, 2));
        CHECK_FALSE(net[1].disk.restored);
    }
    SUBCASE("the other neighbour has vanished: after the time of a lease the owner will do") {
        net.cut(1, 2);
        start_from_backup(net, 1, true);
        net.run_for(10s);
        REQUIRE_FALSE(line.uses(1, 0));
        net.run_for(net[1].engine->config().lease_time + 15s);
        CHECK(line.uses(1, 0));
        CHECK_FALSE(net[1].disk.restored);
    }
    SUBCASE("the same folder that is no backup: an old copy of it could lack an exit as well") {
        net.cut(1, 2);
        start_from_backup(net, 1, false);
        net.run_for(10s);
        CHECK_FALSE(line.uses(1, 0));
        net.mend(1, 2);
        net.run_for(10s);
        CHECK(line.uses(1, 0));
        CHECK(line.uses(1, 2));
    }
    SUBCASE("its operator says that nothing is missing") {
        net.cut(1, 2);
        start_from_backup(net, 1, true);
        net.run_for(10s);
        REQUIRE_FALSE(line.uses(1, 0));
        net.feed(1, ClaimState{});
        net.run_for(10s);
        CHECK(line.uses(1, 0));
        CHECK_FALSE(net[1].disk.restored);
        CHECK(net[1].disk.ever_restored);
    }
    SUBCASE("the owner is the only neighbour") {
        start_from_backup(net, 0, true);
        net.run_for(10s);
        CHECK(line.uses(0, 1));
        CHECK_FALSE(net[0].disk.restored);
    }
    SUBCASE("the other neighbour names an exit and its notice does not come") {
        net.cut(1, 0);
        net.feed(2,
                 SubmitNotice{sign_notice(*net[0].identity, net.network(), ExitNotice{net.id(0), {}, {}})});
        net.cut(1, 2);
        net.settle();
        net.filter = [](std::size_t, std::size_t, const Frames& frames) {
            return frames[0][3] != static_cast<std::uint8_t>(Kind::exit);
        };
        net.mend(1, 0);
        net.mend(1, 2);
        start_from_backup(net, 1, true);
        net.run_for(10s);
        REQUIRE_FALSE(net[1].engine->has_tombstone(net.id(0)));
        CHECK_FALSE(line.uses(1, 0));
    }
}

namespace {

/// `node` knows that so many strangers have left: its user brought their notices.
void strangers_leave(EngineNetwork& net, std::size_t node, std::uint16_t count) {
    for (std::uint16_t i = 0; i < count; ++i) {
        const Identity owner = stranger(i);
        net.feed(node, SubmitNotice{sign_notice(owner, net.network(), ExitNotice{owner.id(), {}, {}})});
    }
    net.settle();
    REQUIRE(net[node].engine->tombstones().size() >= count);
}

/// How many strangers there must be for so many of them to come before an id.
std::uint16_t so_many_before(const NodeId& id, std::size_t wanted) {
    std::uint16_t count = 0;
    for (std::size_t before = 0; before < wanted; ++count) {
        REQUIRE(count < 20'000);
        if (stranger(count).id() < id) ++before;
    }
    return count;
}

}  // namespace

TEST_CASE("exits of strangers that a restored node may not take yet keep no seed of its neighbours from it") {
    constexpr std::uint16_t kLeft = kMaxIntroductionsPerDay + 1;
    LeaseLine line;
    auto& net = line.net;
    net.cut(1, 2);
    strangers_leave(net, 2, kLeft);
    start_from_backup(net, 1);
    net.mend(1, 2);
    net.run_for(10s);
    REQUIRE(net[1].engine->tombstones().size() < kLeft);
    CHECK(line.uses(1, 0));
    CHECK(line.uses(1, 2));
    // Somebody may become a neighbour whose exit it was told of in vain.
    CHECK(net[1].disk.restored);
    net.run_for(2h);
    CHECK(net[1].engine->tombstones().size() == kLeft);
    CHECK_FALSE(net[1].disk.restored);
}

TEST_CASE("a stranger whose exit a restored node has put off is none of its neighbours") {
    // d left long ago, says so to nobody, and becomes a neighbour of b after b came back from a backup. c
    // knows, and b takes no more exits of strangers today.
    EngineNetwork net({"a", "b", "c", "d"}, {{0, 1}, {1, 2}}, short_leases);
    net.start();
    for (std::size_t i = 0; i < 4; ++i)
        net.publish(i, 30'000, static_cast<std::uint8_t>(i));
    net.settle();
    net.cut(1, 2);
    strangers_leave(net, 2, kMaxIntroductionsPerDay + 20);
    start_from_backup(net, 1);
    net.mend(1, 2);
    net.run_for(6s);
    net.feed(2, SubmitNotice{sign_notice(*net[3].identity, net.network(), ExitNotice{net.id(3), {}, {}})});
    net.settle();
    REQUIRE(net[1].engine->counters().exits_put_off > 0);
    net.run_for(5s);  // the next comparison is not about to begin
    REQUIRE(net[1].in_ensemble.size() == 2);
    REQUIRE(net[1].disk.restored);
    REQUIRE_FALSE(net[1].engine->has_tombstone(net.id(3)));

    net.feed(3, AddNeighbour{{net.id(1), "tcp://127.0.0.1:1001"}, true});
    net.feed(1, AddNeighbour{{net.id(3), "tcp://127.0.0.1:1003"}, true});
    for (int i = 0; i < 100; ++i) {
        net.run_for(100ms);
        CHECK_FALSE(net[1].in_ensemble.contains(net.id(3)));
    }
    CHECK(net[1].engine->has_tombstone(net.id(3)));
    CHECK(net[1].in_ensemble.size() == 2);
}

TEST_CASE("the exit of a neighbour is asked for before those of strangers") {
    // b was away when a left, and when more strangers left than are asked for in one comparison.
    LeaseLine line;
    auto& net = line.net;
    net.cut(0, 1);
    net.cut(1, 2);
    strangers_leave(net, 2, so_many_before(net.id(0), kMaxNoticesPerComparison + kMaxIntroductionsPerDay));
    net.feed(2, SubmitNotice{sign_notice(*net[0].identity, net.network(), ExitNotice{net.id(0), {}, {}})});
    net.mend(1, 2);
    net.run_for(10s);
    CHECK(net[1].engine->has_tombstone(net.id(0)));
    CHECK(net[1].disk.held_seeds.size() == 1);
    CHECK(net[1].engine->tombstones().size() == kMaxIntroductionsPerDay + 1);
}
