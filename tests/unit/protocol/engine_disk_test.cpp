#include <algorithm>
#include <memory>

#include <doctest/doctest.h>

#include "tests/support/engine_network.hpp"

/// Engines whose disk fails.

using namespace unlearn::testing;
using namespace std::chrono_literals;

TEST_CASE("a failing disk keeps no seed alive: no receipt, and the erasure is tried again") {
    EngineNetwork net = triangle();
    net[0].storage_fails = true;
    net.exit(2);
    net.settle();
    net.run_for(5s);
    CHECK(net[0].in_ensemble.count(net.id(2)) == 0);
    CHECK(net[0].count_sent(Kind::receipt) == 0);
    CHECK(net[0].engine->counters().store_failures > 1);
    CHECK(net[0].count(EventKind::store_failed) == 1);
    net[0].storage_fails = false;
    net.run_for(5s);
    CHECK(net[0].count(EventKind::store_recovered) == 1);
    CHECK_FALSE(disk_has_seed_of(net[0], net.id(2)));
    CHECK(net[2].engine->own_exit().complete);
}

TEST_CASE("a node does not retire before the seed of somebody who left before it is erased") {
    EngineNetwork net = triangle();
    net[0].erasing_fails = true;
    net.exit(2);
    net.settle();
    net[0].erasing_fails = false;
    net.exit(0);
    net.settle();
    // What failed is tried again only after a while.
    REQUIRE(disk_has_seed_of(net[0], net.id(2)));
    CHECK(net[0].engine->own_exit().complete);
    CHECK(net[0].count(EventKind::retired) == 0);
    net.run_for(5s);
    CHECK_FALSE(disk_has_seed_of(net[0], net.id(2)));
    CHECK(net[0].count(EventKind::retired) == 1);
    CHECK(net[2].engine->own_exit().complete);
}

TEST_CASE("a seed whose storing failed before its owner's exit is not written after it") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net[0].storage_fails = true;
    net.publish(1);
    net.settle();
    net.exit(1);
    net.settle();
    net[0].storage_fails = false;
    net.run_for(10s);
    CHECK_FALSE(disk_has_seed_of(net[0], net.id(1)));
    CHECK(net[0].in_ensemble.empty());
    CHECK(net[0].disk.tombstones.size() == 1);
}

TEST_CASE("no receipt is signed while the seed waits in memory to be written again") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net[0].checks_hang = true;
    net.publish(1);
    net.settle();
    net[0].storage_hangs = true;
    net.feed(0, SeedChecked{net.id(1), SeedVersion{1}, std::nullopt, std::nullopt});
    REQUIRE(net[0].hanging.size() == 1);
    const Ticket ticket = net[0].hanging.front().ticket;
    const std::weak_ptr<const SeedBytes> waiting =
        std::get<PutHeldSeed>(net[0].hanging.front().ops.at(0)).payload;
    net[0].hanging.clear();
    net[0].storage_hangs = false;
    net.feed(0, StoreFailed{ticket, "disk full"});
    REQUIRE_FALSE(waiting.expired());
    net.exit(1);
    net.settle();
    REQUIRE(net[0].count_sent(Kind::receipt) == 1);
    CHECK(waiting.expired());
    CHECK(net[1].engine->own_exit().complete);
}

TEST_CASE("a peer that is removed while the disk fails stays removed after a restart") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net[0].storage_fails = true;
    net.feed(0, AddNeighbour{{net.id(1), "tcp://10.0.0.9:1"}, true});
    net[0].storage_fails = false;
    net.feed(0, RemoveNeighbour{net.id(1)});
    net.run_for(5s);
    REQUIRE(net[0].disk.peers.size() == 1);
    CHECK(net[0].disk.peers.front().former);
}

namespace {

/// Node 0 of two asks to store the first seed of node 1, and hears that this can never be.
void refuse_seed_for_good(EngineNetwork& net) {
    net[0].checks_hang = true;
    net.publish(1);
    net.settle();
    net[0].storage_hangs = true;
    net.feed(0, SeedChecked{net.id(1), SeedVersion{1}, std::nullopt, std::nullopt});
    REQUIRE(net[0].hanging.size() == 1);
    REQUIRE(std::holds_alternative<PutHeldSeed>(net[0].hanging.front().ops.at(0)));
    const Ticket ticket = net[0].hanging.front().ticket;
    net[0].hanging.clear();
    net[0].checks_hang = false;
    net[0].storage_hangs = false;
    net.feed(0, StoreFailed{ticket, "it does not fit", true});
    net.settle();
}

}  // namespace

TEST_CASE("a neighbour's seed that can never be stored is refused, wiped and not fetched again") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    refuse_seed_for_good(net);
    CHECK(net[0].count(EventKind::seed_refused) == 1);
    CHECK(net[0].count(EventKind::store_impossible) == 0);
    CHECK(net[0].engine->sizes().candidates == 0);
    CHECK(net[0].engine->seeds_in_use().empty());
    CHECK_FALSE(disk_has_seed_of(net[0], net.id(1)));
    const auto asked = net[0].count_sent(Kind::get);
    net.run_for(std::chrono::hours(2));  // it is announced again with its leases
    CHECK(net[0].count_sent(Kind::get) == asked);
    // The owner is not cut off: its next version, and its exit, are taken.
    net.publish(1);
    net.settle();
    CHECK(net[0].engine->seeds_in_use().at(net.id(1)) == SeedVersion{2});
    net.exit(1);
    net.settle();
    CHECK(net[1].engine->own_exit().complete);
}

TEST_CASE("an exit that can never be stored is not receipted, and the node says that it must stop") {
    EngineNetwork net = triangle();
    net[0].storage_hangs = true;
    net.exit(2);
    net.settle();
    auto& hanging = net[0].hanging;  // its `left` receipt waits, too
    const auto tombstone = std::find_if(hanging.begin(), hanging.end(), [](const Persist& persist) {
        return std::holds_alternative<PutTombstone>(persist.ops.at(0));
    });
    REQUIRE(tombstone != hanging.end());
    const Ticket ticket = tombstone->ticket;
    hanging.erase(tombstone);
    net.release_storage(0);
    net.feed(0, StoreFailed{ticket, "no such table", true});
    net.run_for(std::chrono::minutes(5));
    CHECK(net[0].count(EventKind::store_impossible) == 1);
    CHECK(net[0].count_sent(Kind::receipt) == 0);
    CHECK(net[0].in_ensemble.count(net.id(2)) == 0);
    CHECK_FALSE(net[2].engine->own_exit().complete);
}
