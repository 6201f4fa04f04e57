#include <numeric>

#include <doctest/doctest.h>

#include "protocol/network_statements.hpp"
#include "tests/support/engine_network.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

const Identity& network_key() {
    static const Identity key = stranger(1'000'000);
    return key;
}
const Identity& next_key() {
    static const Identity key = stranger(1'000'001);
    return key;
}

constexpr WallTime kBegin{1'600'000'000s};
constexpr WallTime kLongAfter{2'000'000'000s};

SignedBytes revocation(const EngineNetwork& net, const NodeId& member, const Identity& key = network_key()) {
    return sign_revocation(key, net.network(), {key.id(), member, 1, kBegin});
}
SignedBytes succession(const EngineNetwork& net, const Identity& to, const Identity& from = network_key()) {
    return sign_succession(from, net.network(), {from.id(), to.id(), 1, kBegin, kLongAfter});
}

void expel(EngineNetwork& net, std::size_t at, std::size_t member, const Identity& key = network_key()) {
    net.feed(at,
             SubmitNetworkStatement{NetworkStatementKind::revocation, revocation(net, net.id(member), key)});
    net.settle();
}

std::vector<std::string> names(std::size_t count) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back("node " + std::to_string(i));
    return out;
}

/// Everybody lists everybody, in a network with a key.
EngineNetwork complete(std::size_t count, const EngineNetwork::AdjustConfig& adjust = nullptr) {
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    for (std::size_t a = 0; a < count; ++a)
        for (std::size_t b = a + 1; b < count; ++b)
            edges.emplace_back(a, b);
    return {names(count), edges, [adjust](std::size_t node, EngineConfig& config) {
                config.network_key = network_key().id();
                if (adjust) adjust(node, config);
            }};
}

void publish_all(EngineNetwork& net, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        net.publish(i, 20'000);
    net.settle();
}

constexpr std::size_t kMembers = 24;

/// Node 0 lists nobody. The members list it, dial it and show their membership.
EngineNetwork hub_with_members(const std::function<void(EngineConfig&)>& adjust_hub) {
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    for (std::size_t member = 1; member <= kMembers; ++member)
        edges.emplace_back(0, member);
    const auto all = names(kMembers + 1);
    return {all, edges, [=](std::size_t node, EngineConfig& config) {
                config.network_key = network_key().id();
                config.reachable = false;  // so that members dial, whoever has the lower id
                if (node == 0) {
                    config.neighbours.clear();
                    adjust_hub(config);
                    return;
                }
                const auto self =
                    Identity::from_seed(digest_of(Bytes(all[node].begin(), all[node].end())).value).id();
                config.membership = sign_term_membership(
                    network_key(), config.network, {network_key().id(), self, node, kBegin, kLongAfter});
            }};
}

std::size_t bytes_held(const Engine& engine) {
    const auto held = engine.held_seeds();
    return std::accumulate(held.begin(), held.end(), std::size_t{0},
                           [](std::size_t sum, const auto& seed) { return sum + seed.bytes; });
}

}  // namespace

TEST_CASE("members that let themselves in cost no seed where they exchange exits only") {
    EngineNetwork net = hub_with_members([](EngineConfig&) {});
    net.start();
    for (std::size_t i = 0; i <= kMembers; ++i)
        net.publish(i, 400'000);
    net.run_for(30s);
    CHECK(net[0].engine->established_peers() == kMembers);
    CHECK(net[0].engine->held_seeds().empty());
    CHECK(net[0].disk.held_seeds.empty());
    CHECK(net[0].disk.recipients.empty());
    CHECK(net[0].count_sent(Kind::have) == 0);
    CHECK(net[0].count_sent(Kind::get) == 0);
    CHECK(net[0].count_sent(Kind::chunk) == 0);
    for (const auto& peer : net[0].engine->peers())
        CHECK(peer.no_seeds == describe(Admission::exits_only));
    CHECK(net[0].engine->counters().peers_dropped == 0);
    // A member that asks for the seed, whatever it was told, gets none.
    net.inject(1, 0, encode(Envelope{1000, Get{SeedVersion{1}, 0, 1}}));
    net.settle();
    CHECK(net[0].count_sent(Kind::chunk) == 0);
    // Exits are exchanged all the same: another member hears of this one through the hub.
    net.exit(1);
    net.run_for(10s);
    CHECK(net[0].engine->has_tombstone(net.id(1)));
    CHECK(net[2].engine->has_tombstone(net.id(1)));
    CHECK(net[1].engine->own_exit().complete);
}

TEST_CASE("members that exchange stay within the total, and the next ones follow when some leave") {
    constexpr std::size_t kShare = 400'000;
    constexpr std::size_t kPlaces = 10;
    EngineNetwork net = hub_with_members([](EngineConfig& config) {
        config.members.policy = MemberPolicy::exchange;
        config.seed_room = {kShare, kPlaces};
    });
    net.start();
    for (std::size_t i = 0; i <= kMembers; ++i)
        net.publish(i, kShare);
    net.run_for(30s);
    CHECK(net[0].engine->seeds_in_use().size() == kPlaces);
    CHECK(net[0].disk.held_seeds.size() == kPlaces);
    CHECK(bytes_held(*net[0].engine) <= kShare * kPlaces);
    CHECK(net[0].disk.recipients.size() <= kPlaces);
    std::size_t refused = 0;
    std::set<NodeId> first;
    for (const auto& peer : net[0].engine->peers())
        if (peer.no_seeds == describe(Admission::no_place))
            ++refused;
        else
            first.insert(peer.id);
    CHECK(refused == kMembers - kPlaces);
    // Three that have a place leave. The others keep theirs, and three follow without a restart.
    std::set<NodeId> left;
    for (std::size_t i = 1; i <= kMembers && left.size() < 3; ++i)
        if (first.contains(net.id(i))) {
            left.insert(net.id(i));
            net.exit(i);
        }
    net.run_for(10s);
    const auto in_use = net[0].engine->seeds_in_use();
    CHECK(in_use.size() == kPlaces);
    for (const NodeId& id : first)
        CHECK(in_use.contains(id) == !left.contains(id));
    CHECK(bytes_held(*net[0].engine) <= kShare * kPlaces);
}

TEST_CASE("the order of members survives a restart, and so do the seeds of those with a place") {
    EngineNetwork net = hub_with_members([](EngineConfig& config) {
        config.members.policy = MemberPolicy::exchange;
        config.members.limit = 4;
    });
    net.start();
    publish_all(net, kMembers + 1);
    net.run_for(10s);
    std::set<NodeId> before;
    for (const auto& [owner, version] : net[0].engine->seeds_in_use())
        before.insert(owner);
    REQUIRE(before.size() == 4);
    CHECK(net[0].disk.members.size() == kMembers);
    net.crash_and_restart(0);
    net.run_for(10s);
    std::set<NodeId> after;
    for (const auto& [owner, version] : net[0].engine->seeds_in_use())
        after.insert(owner);
    CHECK(after == before);
}

TEST_CASE(
    "a seed that is larger than its owner's share is refused with a reason, and a smaller one is taken") {
    EngineNetwork net =
        complete(2, [](std::size_t, EngineConfig& config) { config.seed_room.share = 50'000; });
    net.start();
    net.publish(0, 50'001);
    net.settle();
    CHECK(net[1].engine->held_seeds().empty());
    CHECK(net[1].count_sent(Kind::get) == 0);
    CHECK(net[1].engine->peers().at(0).no_seeds == describe(Admission::too_large));
    net.publish(0, 50'000);
    net.settle();
    CHECK(net[1].in_ensemble.size() == 1);
    CHECK(net[1].engine->peers().at(0).no_seeds.empty());
}

TEST_CASE("a smaller share erases at the next start what is too large for it") {
    bool small = false;
    EngineNetwork net = complete(2, [&](std::size_t, EngineConfig& config) {
        if (small) config.seed_room.share = 10'000;
    });
    net.start();
    publish_all(net, 2);
    REQUIRE(net[1].in_ensemble.size() == 1);
    small = true;
    net.crash_and_restart(1);
    net.run_for(5s);
    CHECK(net[1].in_ensemble.empty());
    CHECK(net[1].disk.held_seeds.empty());
}

TEST_CASE("an expelled member's seed is out of use everywhere within seconds, and stays out after restarts") {
    constexpr std::size_t kNodes = 5;
    EngineNetwork net = complete(kNodes);
    net.start();
    publish_all(net, kNodes);
    for (std::size_t i = 0; i < kNodes; ++i)
        REQUIRE(net[i].in_ensemble.size() == kNodes - 1);
    expel(net, 1, 0);
    net.run_for(1s);
    const auto is_out = [&] {
        for (std::size_t i = 1; i < kNodes; ++i) {
            CHECK(net[i].engine->is_expelled(net.id(0)));
            CHECK_FALSE(net[i].in_ensemble.contains(net.id(0)));
            CHECK(net[i].in_ensemble.size() == kNodes - 2);
            CHECK(std::none_of(net[i].disk.held_seeds.begin(), net[i].disk.held_seeds.end(),
                               [&](const auto& seed) { return seed.owner == net.id(0); }));
            CHECK(net[i].disk.revocations.size() == 1);
        }
    };
    is_out();
    // It hears of its own expulsion, and publishing again changes nothing.
    CHECK(net[0].engine->is_expelled(net.id(0)));
    net.publish(0, 20'000, 9);
    net.run_for(10s);
    is_out();
    for (std::size_t i = 0; i < kNodes; ++i)
        net.crash_and_restart(i);
    net.publish(0, 20'000, 11);
    net.run_for(30s);
    is_out();
    for (std::size_t i = 1; i < kNodes; ++i)
        CHECK(net[i].engine->counters().peers_dropped == 0);
}

TEST_CASE("an expelled neighbour's word is not waited for after a restart") {
    EngineNetwork net = complete(3);
    net.start();
    publish_all(net, 3);
    expel(net, 1, 0);
    net.run_for(1s);
    net.crash_and_restart(2);
    net.run_for(20s);
    CHECK(net[2].in_ensemble == std::set<NodeId>{net.id(1)});
}

TEST_CASE("a node that was away hears of an expulsion when it is back") {
    EngineNetwork net = complete(3);
    net.start();
    publish_all(net, 3);
    net.cut(1, 2);
    net.cut(0, 2);
    expel(net, 1, 0);
    CHECK(net[2].in_ensemble.contains(net.id(0)));
    net.mend(1, 2);
    net.run_for(1s);
    CHECK(net[2].engine->is_expelled(net.id(0)));
    CHECK_FALSE(net[2].in_ensemble.contains(net.id(0)));
}

TEST_CASE("a revocation that was lost on its way arrives with a later comparison") {
    EngineNetwork net = complete(3);
    net.start();
    publish_all(net, 3);
    net.filter = [](std::size_t, std::size_t, const Frames& frames) {
        return frames[0][3] != static_cast<std::uint8_t>(Kind::network_statement);
    };
    expel(net, 1, 0);
    net.filter = nullptr;
    CHECK_FALSE(net[2].engine->is_expelled(net.id(0)));
    net.run_for(30s);
    CHECK(net[2].engine->is_expelled(net.id(0)));
}

TEST_CASE("an expelled member gets nothing, and may still leave and collect receipts") {
    EngineNetwork net = complete(4);
    net.start();
    publish_all(net, 4);
    expel(net, 1, 0);
    net.run_for(5s);
    const auto chunks = net[1].count_sent(Kind::chunk);
    net.publish(1, 20'000, 3);
    net.settle();
    CHECK(net[2].engine->seeds_in_use().at(net.id(1)) == SeedVersion{2});
    CHECK(net[0].engine->seeds_in_use().at(net.id(1)) == SeedVersion{1});
    net.inject(0, 1, encode(Envelope{1000, Get{SeedVersion{2}, 0, 1}}));
    net.settle();
    CHECK(net[1].count_sent(Kind::chunk) == chunks + 4);  // those of the two others
    // Neither does it introduce the exits of others.
    const Identity unknown = stranger(77);
    net.inject(0, 1,
               encode(Envelope{1001, Exit{sign_notice(unknown, net.network(), {unknown.id(), {}, {}})}}));
    net.settle();
    CHECK_FALSE(net[1].engine->has_tombstone(unknown.id()));

    net.exit(0);
    net.run_for(10s);
    CHECK(net[0].engine->own_exit().complete);
    CHECK(net[0].engine->own_exit().receipts.size() == 3);
    for (const auto& [holder, signed_receipt] : net[0].engine->own_exit().receipts) {
        const auto receipt = verify_receipt(holder, net.network(), signed_receipt);
        REQUIRE(receipt);
        CHECK(receipt->erased == SeedVersion{1});
    }
}

TEST_CASE("an expelled member that let itself in connects again only to leave") {
    EngineNetwork net =
        hub_with_members([](EngineConfig& config) { config.members.policy = MemberPolicy::exchange; });
    net.start();
    publish_all(net, kMembers + 1);
    net.run_for(2s);
    REQUIRE(net[0].in_ensemble.contains(net.id(1)));
    expel(net, 0, 1);
    net.run_for(2s);
    CHECK_FALSE(net[0].in_ensemble.contains(net.id(1)));
    net.crash_and_restart(0);
    net.crash_and_restart(1);
    net.run_for(30s);
    CHECK_FALSE(net[0].in_ensemble.contains(net.id(1)));
    CHECK(net[0].in_ensemble.size() == kMembers - 1);
    net.exit(1);
    net.run_for(30s);
    CHECK(net[0].engine->has_tombstone(net.id(1)));
    CHECK(net[1].engine->own_exit().complete);
}

TEST_CASE("after a succession, what the stolen key signs is taken by nobody") {
    constexpr std::size_t kNodes = 4;
    EngineNetwork net = complete(kNodes);
    net.start();
    publish_all(net, kNodes);
    net.cut(0, 3);
    net.cut(1, 3);
    net.cut(2, 3);
    net.feed(1, SubmitNetworkStatement{NetworkStatementKind::succession, succession(net, next_key())});
    net.run_for(1s);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(net[i].engine->network_key().current == next_key().id());
    expel(net, 1, 0);  // by the old key
    expel(net, 2, 1, next_key());
    net.run_for(5s);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK_FALSE(net[i].engine->is_expelled(net.id(0)));
        CHECK(net[i].engine->is_expelled(net.id(1)));
    }
    // Who was away follows, too, and who restarts stays with the new key.
    net.mend(2, 3);
    net.run_for(10s);
    CHECK(net[3].engine->network_key().current == next_key().id());
    CHECK(net[3].engine->is_expelled(net.id(1)));
    net.crash_and_restart(3);
    net.run_for(1s);
    CHECK(net[3].engine->network_key().current == next_key().id());
    expel(net, 3, 0);
    net.run_for(5s);
    CHECK_FALSE(net[3].engine->is_expelled(net.id(0)));
    for (std::size_t i = 0; i < kNodes; ++i)
        CHECK(net[i].engine->counters().peers_dropped == 0);
}

TEST_CASE("when a thief names a successor, too, no key counts anywhere until the operator chooses one") {
    constexpr std::size_t kNodes = 3;
    EngineNetwork net = complete(kNodes);
    const Identity thief = stranger(1'000'002);
    net.start();
    publish_all(net, kNodes);
    net.feed(0, SubmitNetworkStatement{NetworkStatementKind::succession, succession(net, next_key())});
    net.feed(2, SubmitNetworkStatement{NetworkStatementKind::succession, succession(net, thief)});
    net.run_for(10s);
    for (std::size_t i = 0; i < kNodes; ++i) {
        CHECK_FALSE(net[i].engine->network_key().current);
        CHECK(net[i].engine->network_key().successions.size() == 2);
        CHECK(net[i].count(EventKind::network_key_disputed) == 1);
        CHECK(net[i].in_ensemble.size() == kNodes - 1);  // seeds stay in use
    }
    expel(net, 1, 0, thief);
    expel(net, 1, 0);
    net.run_for(5s);
    CHECK_FALSE(net[1].engine->is_expelled(net.id(0)));
    for (std::size_t i = 0; i < kNodes; ++i)
        net.feed(i, FollowNetworkKey{next_key().id()});
    expel(net, 1, 0, thief);
    expel(net, 1, 2, next_key());
    net.run_for(5s);
    for (std::size_t i = 0; i < kNodes; ++i) {
        CHECK(net[i].engine->is_expelled(net.id(2)));
        CHECK_FALSE(net[i].engine->is_expelled(net.id(0)));
    }
}

TEST_CASE(
    "a membership that is renewed while its node runs reaches the neighbours, and is shown after a restart") {
    EngineNetwork net =
        hub_with_members([](EngineConfig& config) { config.members.policy = MemberPolicy::exchange; });
    net.start();
    publish_all(net, kMembers + 1);
    const auto renewed = [&](std::uint64_t number, WallTime end) {
        return sign_term_membership(network_key(), net.network(),
                                    {network_key().id(), net.id(1), number, kBegin, end});
    };
    const auto end_at_hub = [&] {
        for (const auto& peer : net[0].engine->peers())
            if (peer.id == net.id(1)) return peer.membership_until;
        return std::optional<WallTime>{};
    };
    net.feed(1, RenewMembership{renewed(1000, kLongAfter + 1h)});
    net.run_for(1s);
    CHECK(end_at_hub() == kLongAfter + 1h);
    net.feed(1, RenewMembership{renewed(999, kLongAfter + 2h)});  // not newer
    net.run_for(1s);
    CHECK(end_at_hub() == kLongAfter + 1h);
    net.crash_and_restart(1);
    CHECK(net[1].engine->network_key().membership == renewed(1000, kLongAfter + 1h));
    // One that ends soon: the seed goes out of use at its end, and the member can still leave.
    net.feed(1, RenewMembership{renewed(1001, WallTime{1'700'000'000s} + 60s)});
    net.run_for(70s);
    CHECK_FALSE(net[0].in_ensemble.contains(net.id(1)));
    CHECK(net[0].in_ensemble.size() == kMembers - 1);
    net.exit(1);
    net.run_for(10s);
    CHECK(net[0].engine->has_tombstone(net.id(1)));
    CHECK(net[1].engine->own_exit().complete);
}

TEST_CASE("a neighbour of version 1 is told of no revocation, and nothing breaks") {
    EngineNetwork net = complete(3, [](std::size_t node, EngineConfig& config) {
        if (node == 2) config.wire.newest = 1;
    });
    net.start();
    publish_all(net, 3);
    expel(net, 1, 0);
    net.run_for(30s);
    CHECK_FALSE(net[1].in_ensemble.contains(net.id(0)));
    CHECK(net[2].in_ensemble.contains(net.id(0)));  // the worst case, which SECURITY.md names
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(net[i].engine->counters().peers_dropped == 0);
}
