#include <array>

#include "tests/unit/sim_faults/small_world.hpp"

/// Of each invariant, the smallest history that breaks it, told to a small world in which all goes well
/// otherwise.
using namespace unlearn::testing;
using namespace unlearn;

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

TEST_CASE("no-expelled-seed-in-use: a seed is in use while a node knows that its owner is expelled") {
    SmallWorld world;
    world.with_key().met();
    world.expel(0, stranger().id());
    CHECK(world.broken().empty());
    world.machine(0).holder->install(stranger().id(), kFirst);
    world.invariants().check_running(world.machine(0));
    CHECK(world.broken().contains("no-expelled-seed-in-use"));
}

TEST_CASE("everybody-knows: an expulsion that does not reach everybody") {
    SmallWorld world;
    world.with_key().met();
    world.cut_off(2);
    world.expel(0, stranger().id());
    world.run_until(world.now() + 5s);
    REQUIRE(world.unsettled());
    CHECK(world.unsettled()->rule == "everybody-knows");
    CHECK(world.machine(1).engine().is_expelled(stranger().id()));
}

TEST_CASE("no-exited-seed-in-use: a seed is in use while a node knows of its owner's exit") {
    SmallWorld world;
    world.met();
    world.invariants().exit_signed(stranger().id());
    REQUIRE(world.machine(0).node().submit_notice(notice_of(world, stranger())));
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
        REQUIRE(world.machine(0).node().submit_notice(notice_of(world, stranger())));
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
        REQUIRE(node.node().submit_notice(notice_of(world, stranger())));
        world.invariants().check_stored(node);
    }
    SUBCASE("tells of somebody else's") {
        const Identity& owner = world.machine(2).identity();
        world.invariants().sends(node, world.machine(1).id(), frames_of(Exit{notice_of(world, owner)}));
    }
    SUBCASE("tells of its own") {
        world.invariants().sends(node, world.machine(1).id(),
                                 frames_of(Exit{notice_of(world, node.identity())}));
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
                                     offer_frames(world, owner.identity(), kFirst, fill));
    }
    CHECK(world.broken() == Rules{"versions-never-shrink"});
}

TEST_CASE("erased-on-disk: bytes of an exited seed are on a disk whose node signed their erasure") {
    SmallWorld world;
    world.left();
    Machine& holder = world.machine(0);
    auto hidden =
        storage::Store::open("hidden", {holder.id(), world.network()}, storage::wall_time_now, holder.disk());
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
    REQUIRE(holder.node().submit_notice(notice_of(world, owner.identity())));
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
                             offer_frames(world, world.machine(0).identity(), SeedVersion{1000}, 1));
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
    world.machine(0).disk().format();
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

TEST_CASE("a receipt names another version than the node asked for, or than an earlier receipt") {
    SmallWorld world;
    world.left();
    const Machine& holder = world.machine(0);
    const NodeId owner = world.machine(1).id();
    const auto say = [&](SeedVersion erased, std::optional<SeedVersion> asked) {
        world.invariants().sends(holder, owner,
                                 frames_of(ReceiptMessage{sign_receipt(
                                     holder.identity(), world.network(),
                                     Receipt{owner, holder.id(), ReceiptReason::exit, erased, {}, asked})}));
    };
    Rules expected;
    SUBCASE("the same: nothing is broken") {
        say(kFirst, kFirst);
    }
    SUBCASE("an older one than it asked for") {
        world.invariants().hears(holder, owner, offer_frames(world, world.machine(1).identity(), kSecond, 1));
        world.invariants().sends(holder, owner, frames_of(Get{kSecond, 0, 1}));
        say(kFirst, kFirst);
        expected = {"receipt-names-what-was-asked"};
    }
    SUBCASE("none, after a receipt for the first") {
        say(SeedVersion{0}, kFirst);
        expected = {"receipt-is-for-ever"};
    }
    SUBCASE("none, after it was restored: it cannot know better") {
        world.invariants().restored(holder);
        say(SeedVersion{0}, SeedVersion{0});
    }
    CHECK(world.broken() == expected);
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
    start_with_tombstone(world, 0, world.machine(1).identity());
    CHECK(world.unsettled());
    world.invariants().restored(world.machine(0));
    world.machine(0).restored = true;
    CHECK(!world.unsettled());
}
