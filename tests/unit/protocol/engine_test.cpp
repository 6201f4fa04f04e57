#include <algorithm>

#include <doctest/doctest.h>

#include "tests/support/engine_network.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

TEST_CASE("three nodes find each other and hold each other's seeds") {
    EngineNetwork net = triangle();
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(net[i].engine->established_peers() == 2);
        CHECK(net[i].in_ensemble.size() == 2);
        CHECK(net[i].in_ensemble.count(net.id(i)) == 0);
        CHECK(net[i].disk.held_seeds.size() == 2);
        CHECK(net[i].disk.recipients.size() == 2);
        CHECK(net[i].engine->counters().peers_dropped == 0);
    }
    // The payload that arrived is the payload that was published.
    const auto& seed = net[1].disk.held_seeds.front();
    const std::size_t owner = seed.owner == net.id(0) ? 0 : 2;
    CHECK(digest_of(seed.payload->view()) == digest_of(net[owner].disk.own_seed->payload->view()));
}

TEST_CASE("an exit removes the owner's seed everywhere and every holder signs a receipt") {
    EngineNetwork net = triangle();
    net.exit(2);
    net.settle();
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(net[i].in_ensemble == std::set<NodeId>{net.id(1 - i)});
        CHECK_FALSE(disk_has_seed_of(net[i], net.id(2)));
        CHECK(net[i].disk.tombstones.size() == 1);
        CHECK(net[i].count(EventKind::seed_erased) == 1);
    }
    const auto progress = net[2].engine->own_exit();
    CHECK(progress.complete);
    REQUIRE(progress.receipts.size() == 2);
    for (const auto& [holder, receipt] : progress.receipts) {
        const auto verified = verify_receipt(holder, net.network(), receipt);
        REQUIRE(verified.has_value());
        CHECK(verified->owner == net.id(2));
        CHECK(verified->erased == SeedVersion{1});
        CHECK(verified->reason == ReceiptReason::exit);
    }
    // The leaver itself holds nothing any more, and its neighbours have its `left` receipts.
    CHECK(net[2].in_ensemble.empty());
    CHECK(net[2].disk.held_seeds.empty());
    CHECK(net[0].disk.receipts.size() == 1);
}

TEST_CASE("no receipt leaves before the tombstone and the erasure are durable") {
    EngineNetwork net = triangle();
    net[0].storage_hangs = true;
    net.exit(2);
    net.settle();
    // The seed is out of use at once, but nothing is claimed.
    CHECK(net[0].in_ensemble.count(net.id(2)) == 0);
    CHECK(net[0].count_sent(Kind::receipt) == 0);
    CHECK_FALSE(net[2].engine->own_exit().complete);
    net.release_storage(0);
    CHECK(net[0].count_sent(Kind::receipt) == 1);
    CHECK(net[2].engine->own_exit().complete);
}

TEST_CASE("an exit that overtakes the download stops it") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    std::size_t chunks = 0;
    net.filter = [&](std::size_t, std::size_t, const Frames& frames) {
        if (frames[0][3] == static_cast<std::uint8_t>(Kind::chunk)) ++chunks;
        return chunks < 3;
    };
    net.publish(1);
    net.settle();
    net.filter = nullptr;
    CHECK(net[0].in_ensemble.empty());
    net.exit(1);
    net.settle();
    net.run_for(10s);
    CHECK(net[0].in_ensemble.empty());
    CHECK(net[0].disk.held_seeds.empty());
    CHECK(net[1].engine->own_exit().complete);
    CHECK(net[0].engine->counters().peers_dropped == 0);
}

TEST_CASE("an exit between the check of a seed and its storing wins") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net[0].storage_hangs = true;
    net.publish(1);
    net.settle();
    CHECK(net[0].in_ensemble.empty());
    net.exit(1);
    net.settle();
    net.release_storage(0);
    net.run_for(2s);
    CHECK(net[0].in_ensemble.empty());
    CHECK_FALSE(disk_has_seed_of(net[0], net.id(1)));
    CHECK(net[1].engine->own_exit().complete);
}

TEST_CASE("replayed announcements of an exited owner change nothing, also after a restart") {
    EngineNetwork net = triangle();
    const SignedBytes old_record = net[2].disk.own_seed->record;
    const WallTime far_away{std::chrono::seconds{2'000'000'000}};
    const SignedBytes lease =
        sign_lease(*net[2].identity, net.network(), Lease{net.id(2), SeedVersion{1}, 1'000, far_away});
    net.exit(2);
    net.settle();
    net.crash_and_restart(0);
    net.run_for(3s);
    CHECK(net[0].in_ensemble == std::set<NodeId>{net.id(1)});
    net.inject(2, 0, encode(Envelope{1000, Have{old_record, lease}}));
    net.settle();
    CHECK(net[0].count_sent(Kind::get) < 20);
    CHECK(net[0].in_ensemble == std::set<NodeId>{net.id(1)});
}

TEST_CASE("an acknowledged seed never returns after a crash") {
    EngineNetwork net = triangle();
    net.exit(2);
    net.settle();
    for (int i = 0; i < 3; ++i) {
        net.crash_and_restart(0);
        net.crash_and_restart(1);
        net.run_for(3s);
        CHECK(net[0].in_ensemble.count(net.id(2)) == 0);
        CHECK(net[1].in_ensemble.count(net.id(2)) == 0);
        CHECK(net[0].engine->has_tombstone(net.id(2)));
    }
}

TEST_CASE("an owner that crashes in the middle of its exit goes on with it") {
    EngineNetwork net = triangle();
    net.cut(0, 2);
    net.exit(2);
    net.settle();
    CHECK_FALSE(net[2].engine->own_exit().complete);
    net.crash_and_restart(2);
    CHECK(net[2].in_ensemble.empty());
    net.mend(0, 2);
    net.run_for(5s);
    CHECK(net[2].engine->own_exit().complete);
    CHECK(net[2].count_sent(Kind::have) > 0);
}

TEST_CASE("a node that was away hears of the exit from a neighbour and its receipt follows later") {
    EngineNetwork net = triangle();
    net.cut(0, 2);
    net.exit(2);
    net.settle();
    // c cannot reach a, but b passes the notice on.
    CHECK(net[0].in_ensemble.count(net.id(2)) == 0);
    CHECK(net[0].engine->has_tombstone(net.id(2)));
    CHECK_FALSE(net[2].engine->own_exit().complete);
    net.mend(0, 2);
    net.run_for(2s);
    CHECK(net[2].engine->own_exit().complete);
}

TEST_CASE("a holder that crashed between tombstone and erasure erases at its next start") {
    EngineNetwork net = triangle();
    auto state = net[0].disk;
    net.exit(2);
    net.settle();
    // The tombstone made it to the disk, the erasure did not.
    state.tombstones = net[0].disk.tombstones;
    net[0].disk = state;
    REQUIRE(disk_has_seed_of(net[0], net.id(2)));
    net.crash_and_restart(0);
    net.settle();
    CHECK_FALSE(disk_has_seed_of(net[0], net.id(2)));
    CHECK(net[0].in_ensemble.count(net.id(2)) == 0);
}

TEST_CASE("a new version replaces the old one, and a refused one is not asked for again") {
    EngineNetwork net = triangle();
    net.publish(0, 50'000, 99);
    net.settle();
    CHECK(net[1].engine->seeds_in_use().at(net.id(0)) == SeedVersion{2});
    CHECK(net[1].disk.held_seeds.size() == 2);
    CHECK(net[0].disk.recipients.front().version == SeedVersion{2});

    net[1].problem_with_seeds = "not a finite number";
    net.publish(0, 40'000, 5);
    net.settle();
    CHECK(net[1].engine->seeds_in_use().at(net.id(0)) == SeedVersion{2});
    CHECK(net[1].engine->counters().seeds_refused == 1);
    CHECK(net[1].engine->counters().peers_dropped == 1);
    CHECK(net[2].engine->seeds_in_use().at(net.id(0)) == SeedVersion{3});
    const auto gets = net[1].count_sent(Kind::get);
    net.run_for(10s);  // until the owner, which was dropped, is let in again
    REQUIRE(net[1].engine->established_peers() == 2);
    CHECK(net[1].count_sent(Kind::get) == gets);
    CHECK(net[1].engine->counters().peers_dropped == 1);
}

TEST_CASE(
    "a seed that was loaded and cannot be used is not held against its owner, however late that shows") {
    EngineNetwork net = triangle();
    net[1].checks_hang = true;
    net.crash_and_restart(1);
    // The owner is here again and has shown that it is still a member, before the seed was looked at.
    net.run_for(10s);
    REQUIRE(net[1].engine->established_peers() == 2);
    net.feed(1, SeedChecked{net.id(0), SeedVersion{1}, "not a finite number", std::nullopt});
    net.settle();
    CHECK(net[1].engine->counters().seeds_refused == 1);
    CHECK(net[1].engine->counters().peers_dropped == 0);
    CHECK(net[1].engine->established_peers() == 2);

    // It was our disk: what the owner sends is fine.
    net[1].checks_hang = false;
    net.crash_and_restart(0);
    net.run_for(10s);
    CHECK(net[1].in_ensemble.contains(net.id(0)));
}

TEST_CASE("a new version is served when its recipient is on record with it, and not with an older one") {
    EngineNetwork net({"a", "b"}, {{0, 1}}, [](std::size_t, EngineConfig& config) {
        config.lease_renewal = std::chrono::seconds{5};
    });
    net.start();
    net.publish(0);
    net.run_for(std::chrono::seconds{1});
    REQUIRE(net[0].disk.recipients.size() == 1);

    net[0].storage_hangs = true;
    // Answers the newest hanging request that has an operation like this.
    const auto stored = [&]<typename Op>(const Op&) {
        auto& hanging = net[0].hanging;
        const auto newest = std::find_if(hanging.rbegin(), hanging.rend(), [](const Persist& persist) {
            return std::any_of(persist.ops.begin(), persist.ops.end(),
                               [](const StoreOp& op) { return std::holds_alternative<Op>(op); });
        });
        REQUIRE(newest != hanging.rend());
        const Ticket ticket = newest->ticket;
        hanging.erase(std::next(newest).base());
        net.feed(0, Stored{ticket});
        net.settle();
        return ticket;
    };
    // The record of the renewed lease is under way ...
    net.run_for(6s);
    stored(PutOwnLease{});
    REQUIRE(net[0].hanging.size() == 1);
    const Ticket old_record = net[0].hanging.front().ticket;
    // ... when a new version is published, and asked for.
    net.publish(0, 50'000, 99);
    stored(PutOwnSeed{});
    REQUIRE(net[0].hanging.size() == 2);
    const auto chunks = net[0].count_sent(Kind::chunk);
    net.feed(0, Stored{old_record});
    net.settle();
    CHECK(net[0].count_sent(Kind::chunk) == chunks);
    stored(PutRecipient{});
    CHECK(net[0].count_sent(Kind::chunk) > chunks);
    CHECK(net[1].engine->seeds_in_use().at(net.id(0)) == SeedVersion{2});
}

TEST_CASE("two nodes leave one after the other, and both at once") {
    EngineNetwork net({"a", "b", "c", "d"}, {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}});
    net.start();
    for (std::size_t i = 0; i < 4; ++i)
        net.publish(i);
    net.settle();
    SUBCASE("one after the other") {
        net.exit(3);
        net.settle();
        net.exit(2);
        net.settle();
    }
    SUBCASE("at once") {
        net.exit(3);
        net.exit(2);
        net.settle();
    }
    net.run_for(3s);
    CHECK(net[3].engine->own_exit().complete);
    CHECK(net[2].engine->own_exit().complete);
    CHECK(net[0].in_ensemble == std::set<NodeId>{net.id(1)});
    CHECK(net[1].in_ensemble == std::set<NodeId>{net.id(0)});
    CHECK(net[0].disk.tombstones.size() == 2);
}

TEST_CASE("an exited node serves nothing and publishes nothing") {
    EngineNetwork net = triangle();
    net.exit(2);
    net.settle();
    net.publish(2);
    net.settle();
    CHECK(net[2].disk.own_seed->version == SeedVersion{1});
    net.inject(0, 2, encode(Envelope{1000, Get{SeedVersion{1}, 0, 1}}));
    const auto& last = net[2].sent.back();
    CHECK(last.frames[0][3] == static_cast<std::uint8_t>(Kind::nack));
    net.crash_and_restart(2);
    CHECK(net[2].engine->own_exit().begun);
    net.publish(2);
    net.settle();
    CHECK(net[0].in_ensemble.count(net.id(2)) == 0);
}

TEST_CASE("a node that says goodbye comes back with its seed still held") {
    EngineNetwork net = triangle();
    net.feed(2, SayBye{});
    net.settle();
    CHECK(net[0].in_ensemble.count(net.id(2)) == 1);
    net.run_for(15s);
    CHECK(net[0].engine->established_peers() == 2);
    CHECK(net[0].in_ensemble.count(net.id(2)) == 1);
    CHECK_FALSE(net[0].engine->has_tombstone(net.id(2)));
}

TEST_CASE("lost messages delay a download and do not end it") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    int number = 0;
    net.filter = [&](std::size_t, std::size_t, const Frames& frames) {
        const bool is_chunk = frames[0][3] == static_cast<std::uint8_t>(Kind::chunk);
        return !is_chunk || ++number % 5 != 0 || number > 20;
    };
    net.publish(1);
    net.settle();
    net.run_for(60s);
    CHECK(net[0].in_ensemble.size() == 1);
}

TEST_CASE("only the larger id is dialled when both can be reached") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    const std::size_t lower = net.id(0) < net.id(1) ? 0 : 1;
    // The dialler says Hello first; its partner only answers.
    REQUIRE(net[lower].count_sent(Kind::hello) == 1);
    REQUIRE(net[1 - lower].count_sent(Kind::hello) == 1);
    const auto hello = decode(net[lower].sent.front().frames);
    CHECK_FALSE(std::get<Hello>(hello->message).answer);
    const auto answer = decode(net[1 - lower].sent.front().frames);
    CHECK(std::get<Hello>(answer->message).answer);
}

TEST_CASE("whose turn it is to dial keeps nobody apart") {
    // The node with the lower id, whose turn it is, does not know where the other is.
    const auto id_of = [](char name) {
        return Identity::from_seed(digest_of(Bytes{static_cast<std::uint8_t>(name)}).value).id();
    };
    const std::size_t lower = id_of('a') < id_of('b') ? 0 : 1;
    EngineNetwork net({"a", "b"}, {{0, 1}}, [&](std::size_t node, EngineConfig& config) {
        if (node == lower) config.neighbours[0].endpoint.reset();
    });
    net.start();
    REQUIRE(net[0].engine->established_peers() == 0);
    net.run_for(2 * kDialCheck + 1s);
    CHECK(net[0].engine->established_peers() == 1);
    CHECK(net[1].engine->established_peers() == 1);
    // It stays with one connection.
    const auto hellos = net[0].count_sent(Kind::hello) + net[1].count_sent(Kind::hello);
    net.run_for(4 * kDialCheck);
    CHECK(net[0].count_sent(Kind::hello) + net[1].count_sent(Kind::hello) == hellos);
}
