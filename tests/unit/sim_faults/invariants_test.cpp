#include "sim/faults/invariants.hpp"

#include <array>
#include <chrono>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "node/runtime/host.hpp"
#include "node/storage/store.hpp"
#include "sim/faults/fault_world.hpp"

/// Of each invariant, the smallest history that breaks it, told to a small world in which all goes well
/// otherwise.
using namespace unlearn;
using namespace unlearn::protocol;
using namespace unlearn::sim;
using namespace std::chrono_literals;

namespace {

using Rules = std::set<std::string>;

constexpr SeedVersion kFirst{1};
constexpr SeedVersion kSecond{2};

/// Three nodes, each a neighbour of the others.
class SmallWorld final : public FaultWorld {
  public:
    SmallWorld() : FaultWorld(2, options()) {}

    /// Until everybody uses everybody's seed.
    SmallWorld& met() {
        start_all();
        run_until(now() + 20s);
        REQUIRE(!unsettled());
        return *this;
    }
    /// And machine 1 has left.
    SmallWorld& left() {
        met();
        begin_exit(machine(1));
        run_until(now() + 20s);
        REQUIRE(machine(1).retired);
        REQUIRE(!unsettled());
        return *this;
    }
    void cut_off(std::size_t index) {
        for (std::size_t other = 0; other < size(); ++other) {
            silence(index, other);
            silence(other, index);
        }
    }

    /// What `from` says does not reach `to`.
    void silence(std::size_t from, std::size_t to) {
        blocked_.insert({machine(from).id(), machine(to).id()});
    }

    [[nodiscard]] Invariants& invariants() { return *invariants_; }
    [[nodiscard]] const Rules& broken() const { return invariants_->broken(); }
    [[nodiscard]] const NetworkId& network() const { return network_id_; }
    [[nodiscard]] Payloads& payloads() { return payloads_; }
    [[nodiscard]] learning::RandomStream& random() { return random_; }
    [[nodiscard]] LoadedState stored(std::size_t index) {
        const auto copy = machine(index).disk.synced_copy();
        auto opened =
            runtime::open_store("state", {machine(index).id(), network_id_}, storage::wall_time_now, *copy);
        REQUIRE(opened);
        return std::move(opened->state);
    }
    void lose(std::size_t index) {
        machine(index).lost = true;
        crash(machine(index), true, 1s);
    }
    void restart(std::size_t index) {
        crash(machine(index), true, 1s);
        run_until(now() + 20s);
    }

  private:
    static FaultOptions options() {
        FaultOptions options;
        options.nodes = 3;
        return options;
    }
};

Identity stranger() {
    return Identity::from_seed({9});
}

network::Frames frames_of(Message message) {
    return encode({1, std::move(message)});
}

SignedBytes notice_of(const SmallWorld& world, const Identity& owner) {
    return sign_notice(owner, world.network(), ExitNotice{owner.id(), WallTime{1s}, {}});
}

LoadedState state_with_tombstone(const SmallWorld& world, const Identity& owner) {
    LoadedState state;
    state.tombstones.push_back({owner.id(), notice_of(world, owner)});
    return state;
}

/// Machine `index` starts with what is on its disk, and the exit of `owner` beside it.
void start_with_tombstone(SmallWorld& world, std::size_t index, const Identity& owner) {
    LoadedState state = world.stored(index);
    state.tombstones.push_back({owner.id(), notice_of(world, owner)});
    world.invariants().loaded(world.machine(index), state);
}

network::Frames receipt_frames(const SmallWorld& world, const Machine& holder, const NodeId& owner) {
    return frames_of(ReceiptMessage{sign_receipt(
        holder.identity, world.network(), Receipt{owner, holder.id(), ReceiptReason::exit, kFirst, {}})});
}

/// An offer of `version`, whose seed is all `fill`.
network::Frames offer_frames(const SmallWorld& world, const Identity& owner, SeedVersion version,
                             std::uint8_t fill) {
    const Bytes payload(100, fill);
    const auto record = describe_seed(owner.id(), version, "mlp:8", payload, WallTime{1s});
    REQUIRE(record);
    const Lease lease{owner.id(), version, 1'000'000, WallTime{1'700'000'060s}};
    return frames_of(
        Have{sign_record(owner, world.network(), *record), sign_lease(owner, world.network(), lease)});
}

}  // namespace

TEST_CASE("a history in which all goes well breaks nothing: publish, crash, restart, leave") {
    SmallWorld world;
    world.met();
    world.publish(world.machine(0));
    world.restart(2);
    world.begin_exit(world.machine(1));
    world.run_until(world.now() + 20s);
    world.restart(0);
    world.check_everybody();
    for (std::size_t i = 0; i < world.size(); ++i)
        world.invariants().check_stored(world.machine(i));
    CHECK(world.machine(1).retired);
    CHECK(!world.unsettled());
    CHECK(world.exits_nobody_can_know() == 0);
    CHECK(world.broken().empty());
}

TEST_CASE("no-exited-seed-in-use: a seed comes into use after its owner's tombstone was stored") {
    SmallWorld world;
    world.invariants().loaded(world.machine(0), state_with_tombstone(world, stranger()));
    world.invariants().installed(world.machine(0), stranger().id(), kFirst);
    CHECK(world.broken() == Rules{"no-exited-seed-in-use"});
}

TEST_CASE("no-exited-seed-in-use: a seed is in use while a node knows of its owner's exit") {
    SmallWorld world;
    world.met();
    world.invariants().exit_signed(stranger().id());
    REQUIRE(world.machine(0).node->submit_notice(notice_of(world, stranger())));
    world.machine(0).holder->install(stranger().id(), kFirst);
    CHECK(world.broken() == Rules{"no-exited-seed-in-use"});
}

TEST_CASE("receipt-is-for-ever: a seed is used again after its receipt, at once or after a restart") {
    SmallWorld world;
    world.left();
    SUBCASE("at once") {}
    SUBCASE("after a restart") {
        world.restart(0);
    }
    REQUIRE(world.broken().empty());
    world.machine(0).holder->install(world.machine(1).id(), kFirst);
    CHECK(world.broken() == Rules{"receipt-is-for-ever"});
}

TEST_CASE("receipt-implies-tombstone: a receipt goes out and a power cut would undo the tombstone") {
    SmallWorld world;
    world.met();
    world.invariants().sends(world.machine(0), stranger().id(),
                             receipt_frames(world, world.machine(0), stranger().id()));
    CHECK(world.broken() == Rules{"receipt-implies-tombstone"});
}

TEST_CASE("held-is-signed: a node has a seed that its owner never made") {
    SmallWorld world;
    world.invariants().offered(world.machine(0), world.machine(1).id(), Bytes(100, 1));
    CHECK(world.broken() == Rules{"held-is-signed"});
}

TEST_CASE("tombstones-never-shrink: one that was stored is missing after a restart, or in memory") {
    SmallWorld world;
    SUBCASE("after a restart") {
        world.invariants().loaded(world.machine(0), state_with_tombstone(world, stranger()));
        world.invariants().loaded(world.machine(0), {});
    }
    SUBCASE("one that was passed on is missing after a restart") {
        world.met();
        world.invariants().exit_signed(stranger().id());
        REQUIRE(world.machine(0).node->submit_notice(notice_of(world, stranger())));
        world.run_until(world.now() + 2s);
        REQUIRE(world.broken().empty());
        LoadedState state = world.stored(0);
        state.tombstones.clear();
        world.invariants().loaded(world.machine(0), state);
    }
    SUBCASE("in memory") {
        world.met();
        start_with_tombstone(world, 0, stranger());
        world.invariants().check_memory(world.machine(0));
    }
    CHECK(world.broken() == Rules{"tombstones-never-shrink"});
}

TEST_CASE("tombstones-are-durable: a node knows or tells of an exit that is not on its disk") {
    SmallWorld world;
    world.met();
    const Machine& node = world.machine(0);
    SUBCASE("knows") {
        world.invariants().exit_signed(stranger().id());
        // Its write is still under way.
        REQUIRE(node.node->submit_notice(notice_of(world, stranger())));
        world.invariants().check_stored(node);
    }
    SUBCASE("tells of somebody else's") {
        world.invariants().sends(node, world.machine(1).id(), frames_of(Exit{notice_of(world, stranger())}));
    }
    SUBCASE("tells of its own") {
        world.invariants().sends(node, world.machine(1).id(),
                                 frames_of(Exit{notice_of(world, node.identity)}));
    }
    CHECK(world.broken() == Rules{"tombstones-are-durable"});
}

TEST_CASE("versions-never-shrink: an older version comes into use, or one version is two seeds") {
    SmallWorld world;
    SUBCASE("an older version") {
        world.invariants().installed(world.machine(0), stranger().id(), kSecond);
        world.invariants().installed(world.machine(0), stranger().id(), kFirst);
    }
    SUBCASE("two seeds") {
        const Machine& owner = world.machine(0);
        for (const std::uint8_t fill : {1, 2})
            world.invariants().sends(owner, world.machine(1).id(),
                                     offer_frames(world, owner.identity, kFirst, fill));
    }
    CHECK(world.broken() == Rules{"versions-never-shrink"});
}

TEST_CASE("erased-on-disk: bytes of an exited seed are on a disk whose node signed their erasure") {
    SmallWorld world;
    world.left();
    Machine& holder = world.machine(0);
    auto hidden =
        storage::Store::open("hidden", {holder.id(), world.network()}, storage::wall_time_now, holder.disk);
    REQUIRE(hidden);
    const auto payload = world.payloads().make(world.machine(1).id(), 1000, world.random());
    const std::array<StoreOp, 1> ops{
        PutHeldSeed{world.machine(1).id(), kFirst, notice_of(world, stranger()), payload}};
    REQUIRE((*hidden)->apply(ops));
    world.invariants().check_disk(holder);
    CHECK(world.broken() == Rules{"erased-on-disk"});
}

TEST_CASE("erased-on-disk: an exited seed is on a disk, and its owner was never sent a receipt") {
    SmallWorld world;
    world.met();
    Machine& holder = world.machine(0);
    const Machine& owner = world.machine(1);
    // The device is lost, and its sealed exit handed in: nobody is there to be sent a receipt.
    world.lose(1);
    world.invariants().exit_signed(owner.id());
    REQUIRE(world.broken().empty());
    REQUIRE(holder.node->submit_notice(notice_of(world, owner.identity)));
    SUBCASE("while it is being erased nothing is said") {
        CHECK(world.invariants().still_kept(holder) == owner.id());
        world.invariants().check_disk(holder);
        CHECK(world.broken().empty());
    }
    SUBCASE("and is reported erased") {
        world.invariants().event(holder, Event{EventKind::seed_erased, owner.id(), kFirst, {}});
        CHECK(world.broken() == Rules{"erased-on-disk"});
    }
    SUBCASE("and nothing is under way any more") {
        world.invariants().check_erased(holder);
        CHECK(world.broken() == Rules{"erased-on-disk"});
    }
    SUBCASE("and the holder was put to rest") {
        holder.retired = true;
        world.invariants().check_erased(holder);
        CHECK(world.broken() == Rules{"erased-on-disk"});
    }
    SUBCASE("until it is really gone") {
        world.run_until(world.now() + 5s);
        CHECK(!world.invariants().still_kept(holder));
        world.invariants().check_erased(holder);
        world.restart(0);
        world.invariants().check_disk(holder);
        CHECK(world.broken().empty());
    }
}

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
        world.invariants().hears(node, peer, offer_frames(world, world.machine(1).identity, kFirst, 1));
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
    world.invariants().hears(node, peer, offer_frames(world, world.machine(1).identity, kFirst, 1));
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

TEST_CASE("quarantine: a seed from disk is used before anybody has told what it knows") {
    SmallWorld world;
    world.met();
    const Machine& node = world.machine(0);
    const NodeId& owner = world.machine(1).id();
    const NodeId& peer = world.machine(2).id();
    const SeedVersion version = node.holder->in_use().at(owner);
    const DigestSalt salt{{1}};
    const auto answer = [&](const NodeId& from, DigestSalt to, std::vector<BurntId> known, bool last = true) {
        world.invariants().hears(node, from,
                                 frames_of(Delta{to, DeltaPart::known, last, 0, std::move(known)}));
    };
    world.invariants().loaded(node, world.stored(0));
    world.invariants().sends(node, peer, frames_of(DigestMessage{salt, {}}));
    Rules expected{"quarantine"};
    SUBCASE("nobody has spoken") {}
    SUBCASE("somebody asked, and the node knows something else") {
        world.invariants().hears(node, peer, frames_of(DigestMessage{salt, {}}));
        world.invariants().sends(node, peer, frames_of(Delta{salt, DeltaPart::known, true, 1, {}}));
    }
    SUBCASE("somebody asked, and the node knows the same: it may be used") {
        world.invariants().hears(node, peer, frames_of(DigestMessage{salt, {}}));
        world.invariants().sends(node, peer, frames_of(Delta{salt, DeltaPart::known, true, 0, {}}));
        expected.clear();
    }
    SUBCASE("an answer to something else") {
        answer(peer, DigestSalt{{2}}, {});
    }
    SUBCASE("an answer from somebody who was not asked") {
        answer(owner, salt, {});
    }
    SUBCASE("a part of an answer") {
        answer(peer, salt, {}, false);
    }
    SUBCASE("an answer to what was asked before a restart") {
        world.invariants().loaded(node, world.stored(0));
        answer(peer, salt, {});
    }
    SUBCASE("an answer that names its owner among the exited") {
        answer(peer, salt, {BurntId{owner.bytes()}}, false);
        answer(peer, salt, {});
    }
    SUBCASE("an answer that does not: it may be used") {
        answer(peer, salt, {BurntId{stranger().id().bytes()}});
        expected.clear();
    }
    world.invariants().installed(node, owner, version);
    CHECK(world.broken() == expected);
}

TEST_CASE("quarantine: after a restoration, a seed is used for which nobody but its owner has vouched") {
    SmallWorld world;
    world.met();
    const Machine& node = world.machine(0);
    const NodeId& owner = world.machine(1).id();
    const NodeId& peer = world.machine(2).id();
    const SeedVersion version = node.holder->in_use().at(owner);
    const auto compare = [&](const NodeId& with, std::vector<BurntId> known) {
        world.invariants().sends(node, with, frames_of(DigestMessage{{{1}}, {}}));
        world.invariants().hears(node, with,
                                 frames_of(Delta{{{1}}, DeltaPart::known, true, 0, std::move(known)}));
    };
    world.invariants().restored(node);
    Rules expected{"quarantine"};
    SUBCASE("nobody") {}
    SUBCASE("its owner alone") {
        compare(owner, {});
    }
    SUBCASE("somebody who knows of an exit that the node does not know") {
        compare(peer, {BurntId{stranger().id().bytes()}});
    }
    SUBCASE("somebody else: it may be used") {
        compare(peer, {});
        expected.clear();
    }
    SUBCASE("its owner, and there is nobody else: it may be used") {
        world.machine(0).node->remove_neighbour(peer);
        world.run_until(world.now() + 1s);
        compare(owner, {});
        expected.clear();
    }
    world.invariants().installed(node, owner, version);
    CHECK(world.broken() == expected);
}

TEST_CASE("no-exit-without-the-owner: a node believes in an exit that nobody signed") {
    SmallWorld world;
    SUBCASE("of somebody else") {
        world.invariants().event(world.machine(0), Event{EventKind::exit_learned, stranger().id(), {}, {}});
    }
    SUBCASE("its own") {
        world.invariants().event(world.machine(0), Event{EventKind::own_exit_met, {}, {}, {}});
    }
    CHECK(world.broken() == Rules{"no-exit-without-the-owner"});
}

TEST_CASE("recipients-on-record: somebody is served who is not on record, or not any more") {
    SmallWorld world;
    world.met();
    SUBCASE("not on record") {
        world.invariants().sends(world.machine(0), stranger().id(), frames_of(Chunk{kFirst, 0, Bytes(1, 0)}));
    }
    SUBCASE("not any more") {
        world.invariants().loaded(world.machine(0), {});
    }
    CHECK(world.broken() == Rules{"recipients-on-record"});
}

TEST_CASE("nothing-after-exit: a node offers its seed after its exit has begun") {
    SmallWorld world;
    world.met();
    world.begin_exit(world.machine(0));
    REQUIRE(world.machine(0).up());
    world.invariants().sends(world.machine(0), world.machine(1).id(),
                             offer_frames(world, world.machine(0).identity, SeedVersion{1000}, 1));
    CHECK(world.broken() == Rules{"nothing-after-exit"});
}

TEST_CASE("complete-means-all: an owner reports complete, and a holder has signed nothing") {
    SmallWorld world;
    world.met();
    world.cut_off(0);
    world.begin_exit(world.machine(0));
    world.run_until(world.now() + 5s);
    REQUIRE(world.machine(0).engine().own_exit().announced);
    REQUIRE(world.broken().empty());
    world.invariants().event(world.machine(0),
                             Event{EventKind::exit_complete, world.machine(0).id(), {}, {}});
    CHECK(world.broken() == Rules{"complete-means-all"});
}

TEST_CASE("complete-means-all: an owner retires, and never reported its exit complete") {
    SmallWorld world;
    world.met();
    const Machine& owner = world.machine(0);
    SUBCASE("while it runs") {
        world.invariants().event(owner, Event{EventKind::retired, owner.id(), {}, {}});
    }
    SUBCASE("as its storage says at a start") {
        world.invariants().put_to_rest(owner);
    }
    CHECK(world.broken() == Rules{"complete-means-all"});
}

TEST_CASE("receipt-implies-tombstone: a second receipt that its disk does not bear out") {
    SmallWorld world;
    world.left();
    const Machine& holder = world.machine(0);
    world.invariants().sends(holder, world.machine(1).id(),
                             receipt_frames(world, holder, world.machine(1).id()));
    REQUIRE(world.broken().empty());
    world.machine(0).disk.format();
    SUBCASE("once is enough, as long as the disk is the same") {
        world.invariants().sends(holder, world.machine(1).id(),
                                 receipt_frames(world, holder, world.machine(1).id()));
        CHECK(world.broken().empty());
    }
    SUBCASE("a restoration makes it another") {
        world.invariants().restored(holder);
        world.invariants().sends(holder, world.machine(1).id(),
                                 receipt_frames(world, holder, world.machine(1).id()));
        CHECK(world.broken() == Rules{"receipt-implies-tombstone"});
    }
}

TEST_CASE("well-formed: a node says what no node may say") {
    SmallWorld world;
    SUBCASE("a receipt in another's name") {
        world.invariants().sends(world.machine(0), world.machine(1).id(),
                                 receipt_frames(world, world.machine(2), world.machine(1).id()));
    }
    SUBCASE("an exit that its owner did not sign") {
        auto notice = notice_of(world, stranger());
        notice.signature.value[0] ^= 1;
        world.invariants().sends(world.machine(0), world.machine(1).id(), frames_of(Exit{notice}));
    }
    SUBCASE("a request for a seed that it was never offered") {
        world.invariants().sends(world.machine(0), world.machine(1).id(), frames_of(Get{kFirst, 0, 1}));
    }
    CHECK(world.broken() == Rules{"well-formed"});
}

TEST_CASE("everybody-knows: somebody does not know of an exit") {
    SmallWorld world;
    world.met();
    SUBCASE("that a neighbour knows of") {
        world.cut_off(2);
        world.begin_exit(world.machine(1));
        world.run_until(world.now() + 5s);
        REQUIRE(world.machine(0).engine().has_tombstone(world.machine(1).id()));
    }
    SUBCASE("that nobody knows of any more, although somebody had stored it") {
        start_with_tombstone(world, 0, stranger());
    }
    SUBCASE("that its owner was told to begin, and has not announced") {
        world.machine(1).leaving = true;
    }
    const auto open = world.unsettled();
    REQUIRE(open);
    CHECK_MESSAGE(open->rule == "everybody-knows", open->rule, ": ", open->detail);
    CHECK(world.broken().empty());
}

TEST_CASE("exits-complete: a holder that is there has not signed") {
    SmallWorld world;
    world.met();
    world.silence(2, 1);
    world.begin_exit(world.machine(1));
    world.run_until(world.now() + 5s);
    const auto open = world.unsettled();
    REQUIRE(open);
    CHECK_MESSAGE(open->rule == "exits-complete", open->rule, ": ", open->detail);
}

TEST_CASE("an exit is excused only when all that ever had it on disk are gone, or were put back") {
    SmallWorld world;
    world.met();
    world.machine(1).retired = true;
    CHECK(world.exits_nobody_can_know() == 1);
    start_with_tombstone(world, 0, world.machine(1).identity);
    CHECK(world.unsettled());
    world.invariants().restored(world.machine(0));
    world.machine(0).restored = true;
    CHECK(!world.unsettled());
}
