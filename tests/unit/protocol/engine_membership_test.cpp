#include <doctest/doctest.h>

#include "tests/support/engine_network.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

void introduce(EngineNetwork& net, std::uint32_t count, std::uint64_t first_sequence,
               const std::function<std::optional<SignedBytes>(const NodeId&)>& membership = nullptr) {
    // The test speaks for b: what b itself would say has lower sequence numbers.
    net.filter = [](std::size_t from, std::size_t, const Frames&) { return from != 1; };
    for (std::uint32_t i = 0; i < count; ++i) {
        const Identity unknown = stranger(i);
        const ExitNotice notice{unknown.id(), {}, membership ? membership(unknown.id()) : std::nullopt};
        net.inject(1, 0,
                   encode(Envelope{first_sequence + i, Exit{sign_notice(unknown, net.network(), notice)}}));
        net.settle();
    }
    net.filter = nullptr;
}

/// Two neighbours that use each other's seed.
EngineNetwork pair_with_seeds() {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    for (std::size_t i = 0; i < 2; ++i)
        net.publish(i);
    net.settle();
    REQUIRE(net[0].in_ensemble.size() == 1);
    return net;
}

}  // namespace

TEST_CASE("exits of owners nobody heard of are kept and passed on, so many a day from one peer") {
    EngineNetwork net({"a", "b", "c"}, {{0, 1}, {0, 2}});
    net.start();
    introduce(net, 120, 1000);
    CHECK(net[0].engine->tombstones().size() == kMaxIntroductionsPerDay);
    CHECK(net[0].engine->counters().exits_put_off == 20);
    CHECK(net[0].disk.tombstones.size() == kMaxIntroductionsPerDay);
    CHECK(net[2].engine->tombstones().size() == kMaxIntroductionsPerDay);  // passed on
    CHECK(net[0].engine->counters().peers_dropped == 0);
    // An owner that is known counts whatever else came.
    net.exit(1);
    net.run_for(30s);  // the connection that the test abused is made again
    CHECK(net[0].engine->has_tombstone(net.id(1)));
    // c never heard of b and had its hundred from a: it hears of this one another day.
    CHECK(net[2].engine->counters().exits_put_off > 0);
    // They are never dropped by age.
    net.crash_and_restart(0);
    net.run_for(60s);
    CHECK(net[0].engine->tombstones().size() == kMaxIntroductionsPerDay + 1);
}

TEST_CASE("with a network key an unknown owner's exit needs its membership and has no daily limit") {
    const Identity key = stranger(1'000'000);
    EngineNetwork net({"a", "b"}, {{0, 1}},
                      [&](std::size_t, EngineConfig& config) { config.network_key = key.id(); });
    net.start();
    introduce(net, 3, 1000);
    CHECK(net[0].engine->tombstones().empty());
    CHECK(net[0].engine->counters().exits_put_off == 3);
    introduce(net, 150, 2000, [&](const NodeId& member) -> std::optional<SignedBytes> {
        return sign_membership(key, net.network(), Membership{member});
    });
    CHECK(net[0].engine->tombstones().size() == 150);
}

TEST_CASE("exits that one side missed are compared and sent, and equal sides send nothing but a digest") {
    EngineNetwork net({"a", "b", "c"}, {{0, 1}, {1, 2}});
    net.start();
    net.run_for(20s);
    CHECK(net[0].count_sent(Kind::exit) == 0);
    CHECK(net[0].engine->counters().comparisons > 0);
    net.cut(0, 1);
    const auto notice_of = [&](const Identity& owner) {
        return sign_notice(owner, net.network(), ExitNotice{owner.id(), {}, {}});
    };
    for (std::uint32_t i = 0; i < 30; ++i)
        net.feed(i % 2 == 0 ? 0 : 2, SubmitNotice{notice_of(stranger(i))});
    net.settle();
    CHECK(net[0].engine->tombstones().size() == 15);
    CHECK(net[2].engine->tombstones().size() == 15);
    net.mend(0, 1);
    net.run_for(6s);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(net[i].engine->tombstones().size() == 30);
    // Nothing is sent again once all is equal.
    const auto sent = net[0].count_sent(Kind::exit) + net[1].count_sent(Kind::exit);
    net.cut(0, 1);
    net.mend(0, 1);
    net.run_for(30s);
    CHECK(net[0].count_sent(Kind::exit) + net[1].count_sent(Kind::exit) == sent);
}

TEST_CASE("a lost exit is made up for by the next comparison") {
    EngineNetwork net({"a", "b", "c"}, {{0, 1}, {1, 2}});
    net.start();
    net.publish(0);
    net.settle();
    // b passes the exit on, and the message is lost.
    net.filter = [](std::size_t from, std::size_t, const Frames& frames) {
        return !(from == 1 && frames[0][3] == static_cast<std::uint8_t>(Kind::exit));
    };
    net.exit(0);
    net.settle();
    net.filter = nullptr;
    CHECK_FALSE(net[2].engine->has_tombstone(net.id(0)));
    net.run_for(40s);
    CHECK(net[2].engine->has_tombstone(net.id(0)));
}

TEST_CASE("a member with the network's membership is let in, others are not") {
    const Identity key = stranger(1'000'000);
    SUBCASE("member") {
        // a dials b, and b has never heard of a.
        EngineNetwork net({"a", "b"}, {{0, 1}}, [&](std::size_t node, EngineConfig& config) {
            config.network_key = key.id();
            if (node == 1) config.neighbours.clear();
            const Identity a = Identity::from_seed(digest_of(Bytes{'a'}).value);
            if (node == 0) config.membership = sign_membership(key, config.network, Membership{a.id()});
            config.reachable = false;  // so that a dials, whoever has the lower id
            config.members.policy = MemberPolicy::exchange;
        });
        net.start();
        CHECK(net[1].engine->established_peers() == 1);
        CHECK(net[1].engine->peers().front().source == PeerSource::membership);
        CHECK(net[1].allowed.contains(net.id(0).curve_key()));
        net.publish(0);
        net.publish(1);
        net.settle();
        CHECK(net[0].in_ensemble.size() == 1);
        CHECK(net[1].in_ensemble.size() == 1);
    }
    SUBCASE("a membership of somebody else, or signed by somebody else") {
        for (const bool wrong_key : {false, true}) {
            EngineNetwork net({"a", "b"}, {{0, 1}}, [&](std::size_t node, EngineConfig& config) {
                config.network_key = key.id();
                config.reachable = false;
                if (node == 1) config.neighbours.clear();
                const Identity a = Identity::from_seed(digest_of(Bytes{'a'}).value);
                const Identity forger = stranger(5);
                if (node == 0)
                    config.membership = sign_membership(wrong_key ? forger : key, config.network,
                                                        Membership{wrong_key ? a.id() : forger.id()});
            });
            net.start();
            CHECK(net[1].engine->established_peers() == 0);
            CHECK(net[1].engine->counters().peers_dropped > 0);
        }
    }
}

TEST_CASE("a removed peer's seed is erased, also across a restart, and it still hears of our exit") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net.publish(0);
    net.publish(1);
    net.settle();
    REQUIRE(net[0].in_ensemble.size() == 1);
    net.feed(0, RemoveNeighbour{net.id(1)});
    net.settle();
    CHECK(net[0].in_ensemble.empty());
    CHECK(net[0].disk.held_seeds.empty());
    CHECK(net[0].allowed.empty());
    CHECK(net[0].engine->peers().front().state == PeerState::former);
    net.run_for(30s);
    CHECK(net[0].engine->established_peers() == 0);
    CHECK(net[0].in_ensemble.empty());

    SUBCASE("added again") {
        net.feed(0, AddNeighbour{{net.id(1), "tcp://127.0.0.1:1001"}, true});
        net.feed(1, AddNeighbour{{net.id(0), "tcp://127.0.0.1:1000"}, true});
        net.run_for(30s);
        CHECK(net[0].in_ensemble.size() == 1);
        CHECK(net[0].disk.peers.size() == 1);
        CHECK_FALSE(net[0].disk.peers.front().former);
    }
    SUBCASE("our exit") {
        net.exit(0);
        net.feed(1, AddNeighbour{{net.id(0), "tcp://127.0.0.1:1000"}, false});
        net.run_for(120s);
        CHECK(net[1].engine->has_tombstone(net.id(0)));
        CHECK(net[0].engine->own_exit().complete);
    }
}

TEST_CASE("a node that meets its own exit wipes everything, passes it on and retires") {
    EngineNetwork net({"a", "b", "c"}, {{0, 1}, {0, 2}});
    net.start();
    for (std::size_t i = 0; i < 3; ++i)
        net.publish(i);
    net.settle();
    REQUIRE(net[0].in_ensemble.size() == 2);
    // The sealed exit of a, shown to b by hand.
    net.feed(1, SubmitNotice{sign_notice(*net[0].identity, net.network(), ExitNotice{net.id(0), {}, {}})});
    net.settle();
    net.run_for(6s);
    CHECK(net[0].in_ensemble.empty());
    CHECK(net[0].disk.held_seeds.empty());
    REQUIRE(net[0].disk.retired.has_value());
    // It has its key and its records, and a neighbour keeps its state as the newest: the proof is whole.
    CHECK(net[0].disk.retired->reason == "exit complete");
    CHECK(net[0].disk.receipts.size() == 2);
    REQUIRE(net[0].disk.holder_list);
    CHECK_FALSE(verify_holder_list(net.network(), net[0].disk.holder_list->list)->restored);
    CHECK(net[0].count(EventKind::retired) == 1);
    CHECK(net[1].in_ensemble.empty());
    CHECK(net[2].engine->has_tombstone(net.id(0)));
    CHECK(net[2].in_ensemble.empty());
}

TEST_CASE("a node that loses power while it leaves goes on from there") {
    EngineNetwork net = pair_with_seeds();
    const auto notice = sign_notice(*net[0].identity, net.network(), ExitNotice{net.id(0), {}, {}});
    bool met = false;
    SUBCASE("its exit was met") {
        met = true;
    }
    SUBCASE("its exit was asked for") {
        met = false;
    }
    net[0].disk.exiting = PutExiting{notice, met};
    net.crash_and_restart(0);
    net.run_for(6s);
    REQUIRE(net[0].disk.retired.has_value());
    CHECK(net[0].disk.retired->reason == "exit complete");
    CHECK(net[0].disk.holder_list.has_value());
    CHECK(net[0].in_ensemble.empty());
    CHECK(net[0].disk.held_seeds.empty());
}

TEST_CASE("a node whose exit became known while it was away is shown it before anything else") {
    EngineNetwork net = pair_with_seeds();
    net.cut(0, 1);
    net.feed(1, SubmitNotice{sign_notice(*net[0].identity, net.network(), ExitNotice{net.id(0), {}, {}})});
    net.run_for(1s);
    REQUIRE(net[1].engine->has_tombstone(net.id(0)));
    net.mend(0, 1);
    net.settle();
    CHECK(net[0].count(EventKind::peer_dropped) == 0);
    CHECK(net[0].count(EventKind::own_exit_met) == 1);
    CHECK(net[0].in_ensemble.empty());
    net.run_for(6s);
    CHECK(net[0].disk.retired.has_value());
}

TEST_CASE("a node without the bytes of its own seed, as after a restore, never uses a version again") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net.publish(0);
    net.publish(0);
    net.settle();
    REQUIRE(net[1].engine->seeds_in_use().at(net.id(0)) == SeedVersion{2});
    // Version 2 was published after the backup, which knows of version 1 and has no bytes.
    const auto restore = [&] {
        net[0].disk.own_seed.reset();
        net[0].disk.last_own_version = SeedVersion{1};
        net.crash_and_restart(0);
        net.settle();
        net.publish(0, 100'000, 9);
        net.run_for(3s);
    };
    restore();
    const SeedVersion first = net[0].engine->own_seed()->version;
    CHECK(first > SeedVersion{kVersionsSkippedByRestore});
    CHECK(net[1].engine->seeds_in_use().at(net.id(0)) == first);
    // The same backup again: what the first restoration published is not in it either.
    restore();
    CHECK(net[0].engine->own_seed()->version > first);
    CHECK(net[1].engine->seeds_in_use().at(net.id(0)) == net[0].engine->own_seed()->version);
    CHECK(net[1].count(EventKind::equivocation) == 0);
}

TEST_CASE("a peer of the configuration that was removed stays removed after a restart") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net.settle();
    net.feed(0, RemoveNeighbour{net.id(1)});
    net.settle();
    net.crash_and_restart(0);
    net.settle();
    REQUIRE(net[0].engine->peers().size() == 1);
    CHECK(net[0].engine->peers()[0].state == PeerState::former);
}

TEST_CASE("who removed a peer still signs a receipt when that peer leaves, also after a restart") {
    EngineNetwork net({"a", "b", "c"}, {{0, 1}, {1, 2}, {0, 2}});
    net.start();
    net.publish(0);
    net.settle();
    net.feed(1, RemoveNeighbour{net.id(0)});
    net.settle();
    REQUIRE(net[1].engine->established_peers() == 1);
    bool restarts = false;
    SUBCASE("at once") {}
    SUBCASE("after a restart") {
        restarts = true;
    }
    net.filter = [&](std::size_t from, std::size_t to, const Frames&) {
        return !restarts || from + to != 1;  // between a and b
    };
    net.exit(0);
    net.run_for(1s);
    if (restarts) net.crash_and_restart(1);
    net.filter = nullptr;
    net.run_for(30s);
    CHECK(net[1].engine->has_tombstone(net.id(0)));
    CHECK(net[0].engine->own_exit().receipts.contains(net.id(1)));
    CHECK(net[0].engine->own_exit().complete);
}

TEST_CASE("a forged notice by hand changes nothing") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net.feed(1, SubmitNotice{sign_notice(*net[1].identity, net.network(), ExitNotice{net.id(0), {}, {}})});
    net.settle();
    CHECK(net[1].engine->tombstones().empty());
    CHECK_FALSE(net[0].engine->own_exit().begun);
}

TEST_CASE("an exit that is given up names who is missing and retires; one that is complete retires too") {
    EngineNetwork net({"a", "b", "c"}, {{0, 1}, {0, 2}});
    net.start();
    net.publish(0);
    net.settle();
    net[2].storage_fails = true;
    net.exit(0);
    net.run_for(5s);
    CHECK(net[0].count(EventKind::retired) == 0);
    SUBCASE("given up") {
        net.feed(0, GiveUpExit{});
        net.settle();
        const auto progress = net[0].engine->own_exit();
        CHECK(progress.given_up);
        CHECK_FALSE(progress.complete);
        CHECK(progress.receipts.size() == 1);
        CHECK(progress.recipients.size() == 2);
        CHECK(net[0].disk.retired->reason == "given up");
        const auto sent = net[0].count_sent(Kind::exit);
        net[2].storage_fails = true;
        net.run_for(3s);
        CHECK(net[0].count_sent(Kind::exit) - sent < 10);
    }
    SUBCASE("complete") {
        net[2].storage_fails = false;
        net.run_for(10s);
        CHECK(net[0].engine->own_exit().complete);
        CHECK(net[0].disk.retired->reason == "exit complete");
    }
}

TEST_CASE("who sends too much is dropped, who sends much is not") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    std::uint64_t sequence = 1000;
    for (int i = 0; i < 5'000; ++i)
        net.inject(1, 0, encode(Envelope{++sequence, Ping{1}}));
    net.settle();
    CHECK(net[0].engine->counters().peers_dropped == 0);
    net.run_for(8s);
    for (int i = 0; i < 12'000 && net[0].engine->counters().peers_dropped == 0; ++i)
        net.inject(1, 0, encode(Envelope{++sequence, Ping{1}}));
    CHECK(net[0].engine->counters().peers_dropped == 1);
}

TEST_CASE("an owner whose seed nobody has stays until somebody keeps its exit") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net.settle();
    net.filter = [](std::size_t, std::size_t, const Frames& frames) {
        return frames[0][3] != static_cast<std::uint8_t>(Kind::exit);
    };
    net.exit(0);
    net.run_for(20s);
    CHECK(net[0].engine->own_exit().complete);
    CHECK(net[0].count(EventKind::exit_complete) == 1);
    CHECK(net[0].count(EventKind::retired) == 0);
    CHECK_FALSE(net[1].engine->has_tombstone(net.id(0)));
    SUBCASE("and ends when that is so") {
        net.filter = nullptr;
        net.run_for(kExitRetryMost + 1s);
        CHECK(net[1].engine->has_tombstone(net.id(0)));
        CHECK(net[0].disk.retired->reason == "exit complete");
    }
    SUBCASE("also across a crash") {
        net.filter = nullptr;
        net.crash_and_restart(0);
        net.run_for(kExitRetryMost + 1s);
        CHECK(net[1].engine->has_tombstone(net.id(0)));
        CHECK(net[0].disk.retired->reason == "exit complete");
    }
    SUBCASE("or its user gives up") {
        net.feed(0, GiveUpExit{});
        net.settle();
        CHECK(net[0].disk.retired->reason == "exit complete");
        CHECK_FALSE(net[0].engine->own_exit().given_up);
    }
    SUBCASE("or its last neighbour is removed and it starts anew") {
        net.feed(0, RemoveNeighbour{net.id(1)});
        net.crash_and_restart(0);
        net.settle();
        CHECK(net[0].disk.retired->reason == "exit complete");
    }
    CHECK(net[0].count(EventKind::retired) == 1);
}
