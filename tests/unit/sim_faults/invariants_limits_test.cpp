#include <algorithm>
#include <functional>
#include <vector>

#include "tests/unit/sim_faults/small_world.hpp"

/// The same for limits: of sizes, of the time that a seed may be used, and of what may be used after a start.
using namespace unlearn::testing;

TEST_CASE("limits: more of something than its named limit, things or bytes") {
    SmallWorld world;
    const Machine& node = world.machine(0);
    const NodeId& peer = world.machine(1).id();
    EngineSizes sizes;
    SUBCASE("sessions") {
        sizes.sessions = kMaxSessions + 1;
    }
    SUBCASE("blocked keys") {
        sizes.blocked_keys = kMaxBlockedKeys + 1;
    }
    SUBCASE("waiting requests") {
        sizes.waiting_gets = kMaxWaitingGets + 1;
    }
    SUBCASE("downloads") {
        sizes.downloads = world.size();
    }
    SUBCASE("seeds under way") {
        sizes.candidates = world.size();
    }
    SUBCASE("proofs of equivocation") {
        sizes.equivocations = world.machine(0).neighbours.size() * kMaxEquivocationsKept + 1;
    }
    SUBCASE("writes") {
        sizes.writes = 1'000'000;
    }
    SUBCASE("bytes in a body") {
        world.invariants().sends(node, peer, {frames_of(Bye{})[0], Bytes(kMaxBody + 1, 0)});
    }
    SUBCASE("bytes in a hello") {
        world.invariants().sends(node, peer, {frames_of(Hello{})[0], Bytes(kMaxHelloBody + 1, 0)});
    }
    SUBCASE("bytes in a payload") {
        world.invariants().sends(node, peer, {frames_of(Bye{})[0], Bytes(1, 0), Bytes(kMaxPayload + 1, 0)});
    }
    SUBCASE("bytes under way from one peer") {
        world.invariants().hears(node, peer, offer_frames(world, world.machine(1).identity(), kFirst, 1));
        const std::uint32_t fits = kMaxWindowBytes / kMinChunk;
        world.invariants().sends(node, peer, frames_of(Get{kFirst, 0, fits}));
        REQUIRE(world.broken().empty());
        world.invariants().sends(node, peer, frames_of(Get{kFirst, fits, 1}));
    }
    world.invariants().check_sizes(node, sizes);
    CHECK(world.broken() == Rules{"limits"});
}

TEST_CASE("limits: one peer makes a node keep the exits of too many strangers") {
    SmallWorld world;
    world.met();
    const Machine& node = world.machine(0);
    const auto learn = [&](std::uint8_t number, const NodeId& from) {
        const Identity owner = Identity::from_seed({number, 1});
        world.invariants().exit_signed(owner.id());
        world.invariants().hears(node, from, frames_of(Exit{notice_of(world, owner)}));
        world.invariants().event(node, Event{EventKind::exit_learned, owner.id(), {}, {}});
    };
    const NodeId& peer = world.machine(1).id();
    std::uint8_t number = 0;
    while (number < kMaxIntroductionsPerDay)
        learn(number++, peer);
    // From somebody else, it may be another.
    learn(number++, world.machine(2).id());
    REQUIRE(world.broken().empty());
    SUBCASE("one more") {
        learn(number, peer);
        CHECK(world.broken() == Rules{"limits"});
    }
    SUBCASE("one more after a restart, which does not remember the peer") {
        world.invariants().loaded(node, world.stored(0));
        learn(number, peer);
        CHECK(world.broken().empty());
    }
}

TEST_CASE("limits: chunks that have come make room for others") {
    SmallWorld world;
    const Machine& node = world.machine(0);
    const NodeId& peer = world.machine(1).id();
    world.invariants().hears(node, peer, offer_frames(world, world.machine(1).identity(), kFirst, 1));
    const std::uint32_t fits = kMaxWindowBytes / kMinChunk;
    world.invariants().sends(node, peer, frames_of(Get{kFirst, 0, fits}));
    world.invariants().hears(node, peer, frames_of(Chunk{kFirst, 0, Bytes(kMinChunk, 0)}));
    world.invariants().sends(node, peer, frames_of(Get{kFirst, fits, 1}));
    CHECK(world.broken().empty());
}

TEST_CASE("lease: a seed is used that was never offered, or without a lease for too long") {
    SmallWorld world;
    world.met();
    SUBCASE("never offered") {
        world.machine(0).holder->install(stranger().id(), kFirst);
    }
    SUBCASE("offered by somebody whom the node has not met") {
        world.invariants().hears(world.machine(0), stranger().id(),
                                 offer_frames(world, stranger(), kFirst, 1));
        world.machine(0).holder->install(stranger().id(), kFirst);
    }
    SUBCASE("for too long") {
        const auto seeds = world.machine(0).holder->in_use();
        world.cut_off(0);
        world.run_until(world.now() + 100s);
        REQUIRE(world.machine(0).holder->in_use().empty());
        REQUIRE(world.broken().empty());
        world.machine(0).holder->install(seeds.begin()->first, seeds.begin()->second);
    }
    world.invariants().check_running(world.machine(0));
    CHECK(world.broken() == Rules{"lease"});
}

namespace {

/// A small world where everybody has met, and machine 0 cannot tell by its clock when a lease ends.
struct BehindTheTimes {
    SmallWorld world;
    Machine& node = world.met().machine(0);
    const Machine& owner = world.machine(1);
    const SeedVersion version = node.holder->in_use().at(owner.id());

    BehindTheTimes() {
        node.clock_error = -1h;
        node.clock_set_at = world.now();
        node.host()->set_clock_error(node.clock_error);
    }
    /// Or a violation, or five minutes.
    void runs_until(const std::function<bool()>& done) {
        const auto most = world.now() + 5min;
        while (!done() && world.broken().empty() && world.now() < most)
            world.run_until(world.now() + 100ms);
    }
    [[nodiscard]] bool uses_it() const { return node.uses(owner.id()); }
    void uses_it_now() {
        node.holder->install(owner.id(), version);
        world.invariants().check_running(node);
    }
};

}  // namespace

TEST_CASE("lease: one that is repeated counts anew where its seed was removed and fetched again") {
    BehindTheTimes it;
    SmallWorld& world = it.world;
    const auto lease_of_owner = [&] { return it.owner.engine().own_seed()->lease_until; };
    const auto before = lease_of_owner();
    it.runs_until([&] { return lease_of_owner() != before; });
    const auto last = lease_of_owner();
    world.run_until(world.now() + 1s);

    it.node.node().remove_neighbour(it.owner.id());
    world.run_until(world.now() + 5s);
    REQUIRE(!it.uses_it());
    it.node.node().add_neighbour({it.owner.id(), it.owner.endpoint}, true);
    it.runs_until([&] { return it.uses_it(); });
    REQUIRE(lease_of_owner() == last);
    world.lose(1);

    it.runs_until([&] { return !it.uses_it(); });
    CHECK(world.broken().empty());
    CHECK(!it.uses_it());
    world.run_until(world.now() + 10s);
    it.uses_it_now();
    CHECK(world.broken() == Rules{"lease"});
}

TEST_CASE("lease: one that is repeated while its seed is held is no news") {
    BehindTheTimes it;
    const auto offer = offer_frames(it.world, it.owner.identity(), it.version, 1);
    it.world.silence(1, 0);
    it.world.invariants().hears(it.node, it.owner.id(), offer);
    it.world.run_until(it.world.now() + 4s);
    it.world.invariants().hears(it.node, it.owner.id(), offer);
    it.world.run_until(it.world.now() + 89s);
    REQUIRE(it.world.broken().empty());
    it.uses_it_now();
    CHECK(it.world.broken() == Rules{"lease"});
}

namespace {

/// Machine 0 of a small world, where everybody has met: it holds the seed of one, and another one may know of
/// that one's exit.
struct Holder {
    SmallWorld world;
    const Machine& node = world.met().machine(0);
    const NodeId& owner = world.machine(1).id();
    const NodeId& peer = world.machine(2).id();
    const SeedVersion version = node.holder->in_use().at(owner);

    void asks(const NodeId& whom, DigestSalt salt) {
        world.invariants().sends(node, whom, frames_of(DigestMessage{salt, {}}));
    }
    void asks(const NodeId& whom, const ExitQuery& query) {
        world.invariants().sends(node, whom, frames_of(query));
    }
    void is_answered(const NodeId& by, const ExitAnswer& answer) {
        world.invariants().hears(node, by, frames_of(answer));
    }
    void is_answered(const NodeId& by, DigestSalt salt, std::vector<ExitedId> known, bool last = true) {
        world.invariants().hears(node, by,
                                 frames_of(Delta{salt, DeltaPart::known, last, 0, std::move(known)}));
    }
    /// From now on, a neighbour has to vouch: after a start from disk, or from a backup.
    void starts_again(bool from_backup) {
        if (from_backup)
            world.invariants().restored(node);
        else
            world.invariants().loaded(node, world.stored(0));
    }
    /// The rules that are broken when it uses the seed now.
    [[nodiscard]] Rules broken_by_use() {
        world.invariants().installed(node, owner, version);
        return world.broken();
    }
};

}  // namespace

TEST_CASE("quarantine: after a start, a seed is used for which nobody but its owner has vouched") {
    Holder holder;
    auto& [world, node, owner, peer, version] = holder;
    bool from_backup = false;
    SUBCASE("from disk") {}
    SUBCASE("from a backup") {
        from_backup = true;
    }
    holder.starts_again(from_backup);
    const DigestSalt salt{{1}};
    const auto compare = [&holder, salt](const NodeId& with, std::vector<ExitedId> known) {
        holder.asks(with, salt);
        holder.is_answered(with, salt, std::move(known));
    };
    Rules expected{"quarantine"};
    SUBCASE("nobody has spoken") {}
    SUBCASE("an answer to something else") {
        holder.asks(peer, salt);
        holder.is_answered(peer, DigestSalt{{2}}, {});
    }
    SUBCASE("an answer from somebody who was not asked") {
        holder.asks(owner, salt);
        holder.is_answered(peer, salt, {});
    }
    SUBCASE("a part of an answer") {
        holder.asks(peer, salt);
        holder.is_answered(peer, salt, {}, false);
    }
    SUBCASE("an answer to what was asked before the start") {
        holder.asks(peer, salt);
        holder.starts_again(false);
        holder.is_answered(peer, salt, {});
    }
    SUBCASE("its owner alone") {
        compare(owner, {});
    }
    SUBCASE("its owner, which renews it, too") {
        compare(owner, {});
        world.invariants().hears(node, owner, offer_frames(world, world.machine(1).identity(), version, 1));
    }
    SUBCASE("somebody who knows of its owner's exit") {
        compare(peer, {ExitedId{owner.bytes()}});
    }
    SUBCASE("an answer in two parts, of which the first names its owner among the exited") {
        holder.asks(peer, salt);
        holder.is_answered(peer, salt, {ExitedId{owner.bytes()}}, false);
        holder.is_answered(peer, salt, {});
    }
    SUBCASE("somebody who knows of its owner's exit, which the owner does not mention") {
        compare(peer, {ExitedId{owner.bytes()}});
        compare(owner, {});
    }
    SUBCASE("somebody who knows of a stranger's exit that the node does not know: it may be used") {
        compare(peer, {ExitedId{stranger().id().bytes()}});
        expected.clear();
    }
    SUBCASE("somebody else: it may be used") {
        compare(peer, {});
        expected.clear();
    }
    SUBCASE("its owner, and there is nobody else: it may be used") {
        world.machine(0).node().remove_neighbour(peer);
        world.run_until(world.now() + 1s);
        compare(owner, {});
        expected.clear();
    }
    CHECK(holder.broken_by_use() == expected);
}

TEST_CASE("quarantine: at the very first start nobody has to vouch") {
    Holder holder;
    LoadedState nothing;
    holder.world.invariants().loaded(holder.node, nothing);
    CHECK(holder.broken_by_use().contains("quarantine") == false);
}

TEST_CASE(
    "quarantine: after a start, a seed is used before an answer of version 2 has ruled out its owner's "
    "exit") {
    Holder holder;
    auto& [world, node, owner, peer, version] = holder;
    world.invariants().loaded(node, world.stored(0));
    const ExitedId id{owner.bytes()};
    const IdRange around = IdRange::around(id, 2);
    ExitQuery query{{{1}}, 7, {}, {around}, {}};
    ExitAnswer answer{7, 100, {{9}}, {{}}};
    Rules expected{"quarantine"};
    const auto ask = [&] { holder.asks(holder.peer, query); };
    const auto hear = [&] { holder.is_answered(holder.peer, answer); };
    SUBCASE("nobody was asked") {
        hear();
    }
    SUBCASE("an answer to another query") {
        ask();
        answer.number = 8;
        hear();
    }
    SUBCASE("an answer that names it") {
        ask();
        answer.ranges[0].ids = {id};
        hear();
    }
    SUBCASE("an answer about another range") {
        query.ranges[0] = IdRange::around(ExitedId{{static_cast<std::uint8_t>(id.value[0] ^ 1U)}}, 2);
        ask();
        hear();
    }
    SUBCASE("its part of the range differs") {
        ask();
        answer.ranges[0] = {{}, 0xffff, std::vector<RangeFingerprint>(kRangeParts)};
        hear();
    }
    SUBCASE("it is not named: it may be used") {
        ask();
        hear();
        expected.clear();
    }
    SUBCASE("its part of the range is empty: it may be used") {
        ask();
        const auto others = static_cast<std::uint16_t>(0xffff ^ (1U << digit_of(id, 2)));
        answer.ranges[0] = {{}, others, std::vector<RangeFingerprint>(kRangeParts - 1)};
        hear();
        expected.clear();
    }
    SUBCASE("the exits are the same: it may be used") {
        query.ranges.clear();
        ask();
        answer.ranges.clear();
        answer.all = fingerprint_of(query.salt, node.engine().known_exits().digest());
        hear();
        expected.clear();
    }
    CHECK(holder.broken_by_use() == expected);
}
