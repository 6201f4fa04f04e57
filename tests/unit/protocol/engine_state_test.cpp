#include <utility>

#include <doctest/doctest.h>

#include "protocol/engine/own_state.hpp"
#include "tests/support/engine_network.hpp"

/// Old copies of a node's state, and second copies of a node.

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

/// b is a neighbour of a and of c, and uses the seeds of both.
struct StateLine {
    EngineNetwork net;
    explicit StateLine(EngineNetwork::AdjustConfig adjust_config = nullptr)
        : net({"a", "b", "c"}, {{0, 1}, {1, 2}}, std::move(adjust_config)) {
        net.start();
        for (std::size_t i = 0; i < 3; ++i)
            net.publish(i);
        net.run_for(1s);
        REQUIRE(uses(1, 0));
        REQUIRE(uses(1, 2));
    }
    [[nodiscard]] bool uses(std::size_t node, std::size_t owner) {
        return net[node].in_ensemble.contains(net.id(owner));
    }
    /// The node goes on with this state.
    void restore(std::size_t node, const LoadedState& copy) {
        net[node].disk = copy;
        net.crash_and_restart(node);
    }
    /// The leaver goes on as if it had never left, and sends a newer lease.
    void a_lies() {
        LoadedState as_before = net[0].disk;
        as_before.exiting.reset();
        as_before.retired.reset();
        as_before.holder_list.reset();
        as_before.receipts.clear();
        restore(0, as_before);
        net.publish(0, 100'000, 9);
        net.run_for(20s);
    }
};

StateStatement statement_of(EngineNetwork& net, std::size_t kept_by, std::size_t node) {
    for (const auto& known : net[kept_by].disk.peer_states)
        if (known.peer == net.id(node)) {
            const auto state = verify_state(net.id(node), net.network(), known.statement);
            REQUIRE(state);
            return *state;
        }
    REQUIRE_MESSAGE(false, "no statement is kept");
    return {};
}

}  // namespace

TEST_CASE("neighbours keep a node's newest statement; each start and each exit has a number of its own") {
    StateLine line;
    const auto first = statement_of(line.net, 1, 2);
    CHECK(first.number == 1);
    CHECK(first.previous == StartId{});
    line.net.crash_and_restart(2);
    line.net.run_for(5s);
    const auto second = statement_of(line.net, 1, 2);
    CHECK(second.number == 2);
    CHECK(second.previous == first.start);
    CHECK(second.start != first.start);
    line.net.exit(0);
    line.net.run_for(5s);
    const auto third = statement_of(line.net, 1, 2);
    CHECK(third.number == 3);
    CHECK(third.start == second.start);
    CHECK(line.net[2].count(EventKind::own_state_old) == 0);
    CHECK(line.net[2].count(EventKind::own_copy_met) == 0);
}

TEST_CASE("a folder that is put back after an exit uses the leaver's seed no more") {
    // The leaver lies: it sends a new seed with newer leases, and says nothing of its exit.
    StateLine line;
    auto& net = line.net;
    const LoadedState copy = net[1].disk;
    net.exit(0);
    net.run_for(2s);
    REQUIRE(net[0].disk.receipts.size() == 1);
    REQUIRE(net[1].disk.tombstones.size() == 1);
    SUBCASE("another neighbour knows of the exit") {
        line.restore(1, copy);
        line.a_lies();
        CHECK(net[1].engine->has_tombstone(net.id(0)));
    }
    SUBCASE("another neighbour has lost it, and knows only that the state was newer") {
        std::erase_if(net[2].disk.tombstones, [&](const auto& exit) { return exit.owner == net.id(0); });
        net.crash_and_restart(2);
        net.run_for(1s);
        line.restore(1, copy);
        net.run_for(1s);
        CHECK(net[1].count(EventKind::own_state_old) == 1);
        CHECK(net[1].disk.ever_restored);
        const auto statement = statement_of(net, 2, 1);
        CHECK(statement.number > copy.starts.back().number + 1);
    }
    SUBCASE("only the leaver is there") {
        net.cut(1, 2);
        // Not before it lies: it would tell of its exit again.
        net.cut(0, 1);
        line.a_lies();
        line.restore(1, copy);
        net.mend(0, 1);
        net.run_for(20s);
        REQUIRE(net[1].engine->established_peers() == 1);
        CHECK(net[1].disk.held_seeds.size() == 2);
        net.run_for(1h);
    }
    CHECK_FALSE(line.uses(1, 0));
}

TEST_CASE("a state that goes back publishes above what others have seen") {
    StateLine line;
    auto& net = line.net;
    const LoadedState copy = net[1].disk;
    net.publish(1, 100'000, 21);
    net.run_for(1s);
    net.crash_and_restart(1);
    net.run_for(5s);
    const auto version = net[0].engine->seeds_in_use().at(net.id(1));
    line.restore(1, copy);
    net.run_for(30s);
    CHECK(net[1].count(EventKind::own_state_old) > 0);
    CHECK(net[0].engine->seeds_in_use().at(net.id(1)) > version);
    CHECK(net[0].engine->counters().equivocations == 0);
    // All neighbours have told it what it missed, so it uses their seeds again.
    CHECK(line.uses(1, 0));
    CHECK(line.uses(1, 2));
    CHECK_FALSE(net[1].disk.restored);
    // Its list of holders says so for ever.
    net.exit(1);
    net.run_for(5s);
    REQUIRE(net[1].disk.holder_list);
    CHECK(verify_holder_list(net.network(), net[1].disk.holder_list->list)->restored);
}

TEST_CASE("a copy that started several times alone is found out, too") {
    StateLine line;
    auto& net = line.net;
    const LoadedState copy = net[1].disk;
    net.exit(0);  // one number more
    net.run_for(2s);
    net.cut(0, 1);
    net.cut(1, 2);
    line.restore(1, copy);
    for (int start = 0; start < 4; ++start)
        net.crash_and_restart(1);
    net.mend(1, 2);
    net.run_for(1s);
    CHECK(net[1].count(EventKind::own_state_old) == 1);
}

TEST_CASE("a node that meets a second copy of itself uses no seed until its operator decides") {
    StateLine line;
    auto& net = line.net;
    // What a copy of b, started elsewhere, tells c.
    const auto mine = statement_of(net, 2, 1);
    StartId start;
    start.value.fill(9);
    const std::uint64_t copys_number = mine.number + 10;
    const auto copys =
        sign_state(*net[1].identity, net.network(), {net.id(1), copys_number, start, mine.start});
    const auto from_c = [&](std::optional<SignedBytes> yours) {
        const auto state = net[2].disk.starts.back();
        const auto own = sign_state(*net[2].identity, net.network(),
                                    {net.id(2), state.number, state.start, state.previous});
        net.filter = [](std::size_t from, std::size_t, const Frames&) { return from != 2; };
        net.inject(2, 1, encode(Envelope{1000, StateMessage{own, false, std::move(yours)}}));
        net.settle();
        net.filter = nullptr;
    };
    SUBCASE("control: what it knows itself") {
        from_c(sign_state(*net[1].identity, net.network(), mine));
        CHECK(line.uses(1, 0));
    }
    SUBCASE("a forged statement ends the connection") {
        auto forged = copys;
        forged.bytes.back() ^= 1;
        from_c(forged);
        CHECK(net[1].engine->counters().peers_dropped == 1);
        CHECK(line.uses(1, 0));
    }
    SUBCASE("the copy's statement") {
        REQUIRE(net[1].disk.own_seed);
        const SeedVersion version = net[1].disk.own_seed->version;
        from_c(copys);
        CHECK(net[1].count(EventKind::own_copy_met) == 1);
        CHECK(net[1].count(EventKind::own_state_old) == 0);
        CHECK(net[1].in_ensemble.empty());
        net.crash_and_restart(1);
        net.run_for(30s);
        CHECK(net[1].in_ensemble.empty());
        CHECK(net[1].engine->held_seeds().at(0).detail.find("second copy") != std::string::npos);
        net.feed(1, ClaimState{});
        net.run_for(5s);
        CHECK(net[1].in_ensemble.size() == 2);
        // The copy, if it still runs, is shown a start that came after its own.
        const auto claimed = statement_of(net, 0, 1);
        CHECK(claimed.previous == start);
        CHECK(claimed.number > copys_number);
        CHECK_FALSE(net[1].disk.copied);
        // The copy may have used versions and served neighbours that this node does not know.
        CHECK(static_cast<std::uint64_t>(net[1].disk.own_seed->version) >
              static_cast<std::uint64_t>(version) + 1'000'000);
        net.exit(1);
        net.run_for(5s);
        REQUIRE(net[1].disk.holder_list);
        CHECK(verify_holder_list(net.network(), net[1].disk.holder_list->list)->restored);
    }
}

TEST_CASE("who meets its own exit signs the list of holders only when its state is the newest") {
    StateLine line;
    auto& net = line.net;
    const LoadedState copy = net[1].disk;
    const auto notice = sign_notice(*net[1].identity, net.network(), ExitNotice{net.id(1), {}, {}});
    SUBCASE("a neighbour keeps its state: it collects all receipts and signs") {
        net.feed(2, SubmitNotice{notice});
        net.run_for(5s);
        CHECK(net[1].disk.retired->reason == "exit complete");
        CHECK(net[1].disk.receipts.size() == 2);
        CHECK(net[1].disk.holder_list.has_value());
    }
    SUBCASE("it is an old copy: it does not sign, and stops after the time of a lease") {
        net.crash_and_restart(1);
        net.run_for(2s);
        net.cut(0, 1);
        net.cut(1, 2);
        net.feed(2, SubmitNotice{notice});
        line.restore(1, copy);
        net.mend(1, 2);
        net.run_for(10s);
        CHECK(net[1].engine->own_exit().begun);
        CHECK_FALSE(net[1].disk.holder_list);
        CHECK_FALSE(net[1].disk.retired);
        net.run_for(net[1].engine->config().lease_time + 2min);
        REQUIRE(net[1].disk.retired);
        CHECK(net[1].disk.retired->reason == "own exit met");
        CHECK_FALSE(net[1].disk.holder_list);
    }
    SUBCASE("the true node has left and signed: the copy stops at once, and there is one list") {
        net.exit(1);
        net.run_for(2s);
        const auto list = net[1].disk.holder_list->list;
        line.restore(1, copy);
        net.run_for(10s);
        REQUIRE(net[1].disk.retired);
        CHECK(net[1].disk.retired->reason == "own exit met");
        CHECK_FALSE(net[1].disk.holder_list);
        REQUIRE(net[2].disk.peer_lists.size() == 1);
        CHECK(net[2].disk.peer_lists[0].list == list);
    }
    SUBCASE("neighbours of version 1 cannot confirm it; whoever gives up gets an unsigned list") {
        StateLine old([](std::size_t node, EngineConfig& config) {
            if (node != 1) config.wire.newest = 1;
        });
        old.net.feed(2, SubmitNotice{notice});
        old.net.run_for(10s);
        CHECK(old.net[1].disk.receipts.size() == 2);
        CHECK_FALSE(old.net[1].disk.retired);
        old.net.feed(1, GiveUpExit{});
        old.net.run_for(1s);
        REQUIRE(old.net[1].disk.retired);
        CHECK_FALSE(old.net[1].disk.holder_list);
    }
}

TEST_CASE("a neighbour whose state changes without end causes few writes, and its newest statement is kept") {
    StateLine line;
    auto& net = line.net;
    const std::uint64_t before = statement_of(net, 1, 0).number;
    std::size_t writes = 0;
    SignedBytes last = net[1].disk.peer_states.at(0).statement;
    const auto count_writes = [&] {
        for (const auto& known : net[1].disk.peer_states)
            if (known.peer == net.id(0) && std::exchange(last, known.statement) != known.statement) ++writes;
    };
    // Its own engine is silent, and the test speaks for it.
    net.filter = [](std::size_t from, std::size_t to, const Frames&) { return from != 0 && to != 0; };
    constexpr std::uint64_t kMany = 68;  // before it counts as down
    std::uint64_t sequence = 1'000'000;
    for (std::uint64_t i = 1; i <= kMany; ++i) {
        StateMessage message{
            sign_state(*net[0].identity, net.network(), {net.id(0), before + i, StartId{{7}}, {}}), false,
            std::nullopt};
        net.inject(0, 1, encode(Envelope{++sequence, std::move(message)}));
        net.run_for(kTickInterval);
        count_writes();
    }
    CHECK(writes >= 5);
    CHECK(writes <= 8);
    net.filter = nullptr;
    net.run_for(2min);
    CHECK(statement_of(net, 1, 0).number >= before + kMany);
}

TEST_CASE(
    "an owner that is restored, and has forgotten that a holder left, hears of it again and drops nobody") {
    StateLine line;
    auto& net = line.net;
    const LoadedState before = net[0].disk;
    // The holder waits for its own other holder, so it is still there.
    net.cut(1, 2);
    net.exit(1);
    net.run_for(5s);
    REQUIRE(net[0].engine->has_tombstone(net.id(1)));
    REQUIRE_FALSE(net[1].disk.retired);
    net[0].events.clear();
    line.restore(0, before);
    net.run_for(20s);
    CHECK(net[0].count(EventKind::peer_dropped) == 0);
    CHECK(net[0].engine->has_tombstone(net.id(1)));
    CHECK_FALSE(line.uses(0, 1));
}
