#include <algorithm>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/support/engine_network.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

constexpr WallTime kFarAway{std::chrono::seconds{2'000'000'000}};

struct AttackedPair {
    EngineNetwork net;
    std::uint64_t sequence = 1000;

    explicit AttackedPair(EngineNetwork::AdjustConfig adjust_config = nullptr)
        : net{{"victim", "mallory", "third"}, {{0, 1}, {0, 2}, {1, 2}}, std::move(adjust_config)} {
        net.start();
        for (std::size_t i = 0; i < 3; ++i)
            net.publish(i);
        net.settle();
    }
    void attack(Message message) {
        net.inject(1, 0, encode(Envelope{++sequence, std::move(message)}));
        net.settle();
    }
    /// The test speaks for mallory alone: what the victim answers does not reach mallory's honest engine.
    void silence_mallory() {
        net.filter = [](std::size_t from, std::size_t to, const Frames&) { return !(from == 0 && to == 1); };
    }
    [[nodiscard]] bool dropped() { return net[0].engine->counters().peers_dropped > 0; }
    [[nodiscard]] std::string why() {
        for (const auto& event : net[0].events)
            if (event.kind == EventKind::peer_dropped) return event.detail;
        return {};
    }
    const Identity& mallory() { return *net[1].identity; }
    [[nodiscard]] SignedBytes lease(const Identity& owner, SeedVersion version) {
        return sign_lease(owner, net.network(), Lease{owner.id(), version, 1'000, kFarAway});
    }
    [[nodiscard]] Have have(const SeedRecord& record) {
        return {sign_record(mallory(), net.network(), record), lease(mallory(), record.version)};
    }
};

}  // namespace

TEST_CASE("a forged exit is refused, its sender dropped, and the victim's seed stays") {
    AttackedPair p;
    p.attack(Exit{sign_notice(p.mallory(), p.net.network(), ExitNotice{p.net.id(2), {}, {}})});
    CHECK(p.dropped());
    CHECK(p.why().find("bad signature") != std::string::npos);
    CHECK(p.net[0].in_ensemble.count(p.net.id(2)) == 1);
    CHECK_FALSE(p.net[0].engine->has_tombstone(p.net.id(2)));
}

TEST_CASE("an exit from another network is refused") {
    AttackedPair p;
    NetworkId elsewhere{};
    p.attack(Exit{sign_notice(*p.net[2].identity, elsewhere, ExitNotice{p.net.id(2), {}, {}})});
    CHECK(p.dropped());
    CHECK(p.net[0].in_ensemble.count(p.net.id(2)) == 1);
}

TEST_CASE("a genuine exit passed on by a third party counts") {
    AttackedPair p;
    // Mallory's own engine, whose messages have lower numbers, is quiet.
    p.net.filter = [](std::size_t from, std::size_t, const Frames&) { return from != 1; };
    p.attack(Exit{sign_notice(*p.net[2].identity, p.net.network(), ExitNotice{p.net.id(2), {}, {}})});
    CHECK_FALSE(p.dropped());
    CHECK(p.net[0].in_ensemble.count(p.net.id(2)) == 0);
}

TEST_CASE("somebody else's seed record is refused") {
    AttackedPair p;
    p.attack(Have{p.net[2].disk.own_seed->record, p.lease(*p.net[2].identity, SeedVersion{1})});
    CHECK(p.dropped());
}

TEST_CASE("chunks that nobody asked for, or that do not fit, cost the sender the connection") {
    AttackedPair p;
    SUBCASE("unsolicited") {
        p.attack(Chunk{SeedVersion{9}, 0, Bytes(100)});
    }
    SUBCASE("wrong content") {
        p.silence_mallory();
        const Bytes payload(20'000, 1);
        const auto record = describe_seed(p.net.id(1), SeedVersion{2}, "mlp:32", payload, {});
        p.attack(p.have(*record));
        CHECK_FALSE(p.dropped());
        p.attack(Chunk{SeedVersion{2}, 0, Bytes(kMinChunk, 2)});
        CHECK(p.why().find("digest mismatch") != std::string::npos);
    }
    SUBCASE("wrong length") {
        p.silence_mallory();
        const Bytes payload(20'000, 1);
        const auto record = describe_seed(p.net.id(1), SeedVersion{2}, "mlp:32", payload, {});
        p.attack(p.have(*record));
        p.attack(Chunk{SeedVersion{2}, 0, Bytes(100, 1)});
        CHECK(p.why().find("chunk of 100 bytes") != std::string::npos);
    }
    CHECK(p.dropped());
    // The version that was held before stays in use.
    CHECK(p.net[0].engine->seeds_in_use().at(p.net.id(1)) == SeedVersion{1});
}

TEST_CASE("the right chunk is accepted (control of the case before)") {
    AttackedPair p;
    const Bytes payload(10'000, 1);
    const auto record = describe_seed(p.net.id(1), SeedVersion{2}, "mlp:32", payload, {});
    p.silence_mallory();
    p.attack(p.have(*record));
    p.attack(Chunk{SeedVersion{2}, 0, payload});
    CHECK_FALSE(p.dropped());
    CHECK(p.net[0].engine->seeds_in_use().at(p.net.id(1)) == SeedVersion{2});
}

TEST_CASE("two records with one version: the first stays, both are noted") {
    AttackedPair p;
    const auto record = describe_seed(p.net.id(1), SeedVersion{1}, "mlp:32", Bytes(5'000, 9), {});
    p.attack(p.have(*record));
    CHECK(p.net[0].count(EventKind::equivocation) == 1);
    CHECK(p.net[0].in_ensemble.count(p.net.id(1)) == 1);
}

TEST_CASE("one owner makes a node keep so many proofs against it, and no more") {
    AttackedPair p;
    p.silence_mallory();
    constexpr std::size_t kVersions = kMaxEquivocationsKept + 4;
    for (std::uint64_t version = 2; version < 2 + kVersions; ++version) {
        const Bytes payload(1'000, 1);
        const auto record = describe_seed(p.net.id(1), SeedVersion{version}, "mlp:32", payload, {});
        p.attack(p.have(*record));
        p.attack(Chunk{SeedVersion{version}, 0, payload});
        const auto other = describe_seed(p.net.id(1), SeedVersion{version}, "mlp:32", Bytes(1'000, 2), {});
        p.attack(p.have(*other));
    }
    REQUIRE_FALSE(p.dropped());
    CHECK(p.net[0].count(EventKind::equivocation) == kMaxEquivocationsKept);
    CHECK(p.net[0].engine->sizes().equivocations == kMaxEquivocationsKept);
}

TEST_CASE("receipts that nobody asked for are refused") {
    AttackedPair p;
    SUBCASE("we are not leaving") {
        p.attack(ReceiptMessage{
            sign_receipt(p.mallory(), p.net.network(),
                         Receipt{p.net.id(0), p.net.id(1), ReceiptReason::exit, SeedVersion{1}, {}})});
    }
    SUBCASE("for somebody else's exit") {
        p.attack(ReceiptMessage{
            sign_receipt(p.mallory(), p.net.network(),
                         Receipt{p.net.id(2), p.net.id(1), ReceiptReason::exit, SeedVersion{1}, {}})});
    }
    SUBCASE("in a third node's name") {
        p.attack(ReceiptMessage{
            sign_receipt(p.mallory(), p.net.network(),
                         Receipt{p.net.id(0), p.net.id(2), ReceiptReason::left, SeedVersion{1}, {}})});
    }
    CHECK(p.dropped());
    CHECK(p.net[0].disk.receipts.empty());
}

TEST_CASE("who has not left cannot sign that it left") {
    AttackedPair p;
    p.silence_mallory();
    const ReceiptMessage left{sign_receipt(
        p.mallory(), p.net.network(),
        Receipt{p.net.id(0), p.net.id(1), ReceiptReason::left, SeedVersion{0}, {}, SeedVersion{0}})};
    p.attack(left);
    CHECK(p.dropped());
    CHECK(p.net[0].disk.receipts.empty());
}

TEST_CASE("who has signed that it left, and stays, is waited for until it signs that it erased") {
    AttackedPair p([](std::size_t, EngineConfig& config) { config.wire.newest = 1; });
    p.net.publish(0);
    p.net.settle();
    p.net.filter = [](std::size_t from, std::size_t to, const Frames&) { return from != 1 && to != 1; };
    p.attack(Get{p.net[0].engine->own_seed()->version, 0, 1});
    const auto say = [&](ReceiptReason reason) {
        p.attack(ReceiptMessage{sign_receipt(p.mallory(), p.net.network(),
                                             Receipt{p.net.id(0), p.net.id(1), reason, SeedVersion{1}, {}})});
    };
    say(ReceiptReason::left);
    p.net.exit(0);
    p.net.run_for(2s);
    REQUIRE_MESSAGE(!p.dropped(), p.why());
    CHECK(p.net[0].count(EventKind::exit_complete) == 0);
    say(ReceiptReason::exit);
    CHECK(p.net[0].count(EventKind::exit_complete) == 1);
    CHECK(p.net[0].disk.receipts.size() == 2);
}

TEST_CASE("a peer that has signed that it left gets nothing any more, so that its receipt stays true") {
    // With version 2 only who has left can sign so.
    AttackedPair p([](std::size_t, EngineConfig& config) { config.wire.newest = 1; });
    p.silence_mallory();
    const auto chunks_for_mallory = [&] {
        p.net.publish(0);
        p.net.settle();
        const auto before = p.net[0].count_sent(Kind::chunk);
        const auto version = p.net[0].engine->own_seed()->version;
        p.attack(Get{version, 0, 1});
        return p.net[0].count_sent(Kind::chunk) - before;
    };
    CHECK(chunks_for_mallory() == 1);  // the control
    p.attack(ReceiptMessage{
        sign_receipt(p.mallory(), p.net.network(),
                     Receipt{p.net.id(0), p.net.id(1), ReceiptReason::left, SeedVersion{0}, {}})});
    REQUIRE_FALSE(p.dropped());
    CHECK(chunks_for_mallory() == 0);
    // Also after a restart, and its lease is not prolonged: the certificate names the lease that it had.
    const auto on_record = p.net[0].engine->own_exit().recipients.at(p.net.id(1));
    p.net.crash_and_restart(0);
    p.net.run_for(10s);
    p.sequence += 1'000;
    CHECK(chunks_for_mallory() == 0);
    CHECK(p.net[0].engine->own_exit().recipients.at(p.net.id(1)).version == on_record.version);
    CHECK(p.net[0].engine->own_exit().recipients.at(p.net.id(1)).lease_until == on_record.lease_until);
}

TEST_CASE("two lists of holders that an owner signed are kept as proof, and a third one is not") {
    AttackedPair p;
    const auto notice =
        sign_notice(p.mallory(), p.net.network(), ExitNotice{p.mallory().id(), {}, std::nullopt});
    const auto list = [&](std::uint32_t count) {
        return Holders{sign_holder_list(p.mallory(), p.net.network(),
                                        {p.mallory().id(), digest_of(notice.bytes), count, Digest{}, false})};
    };
    const auto equivocations = [&](std::size_t node) { return p.net[node].count(EventKind::equivocation); };
    // Before the exit there is nothing to list.
    p.attack(list(1));
    CHECK(p.net[0].disk.peer_lists.empty());
    // The test speaks for mallory alone, whose engine hears nothing and says nothing.
    p.net.filter = [](std::size_t from, std::size_t to, const Frames&) { return from != 1 && to != 1; };
    p.attack(Exit{notice});
    p.attack(list(1));
    p.attack(list(1));
    p.net.run_for(2s);
    CHECK(p.net[0].disk.peer_lists.size() == 1);
    CHECK(equivocations(0) == 0);
    CHECK(p.net[2].disk.peer_lists.size() == 1);
    p.attack(list(2));
    p.net.run_for(2s);
    CHECK(equivocations(0) == 1);
    CHECK(equivocations(2) == 1);
    p.attack(list(3));
    p.net.run_for(2s);
    CHECK(p.net[0].disk.peer_lists.size() == 2);
    CHECK(p.net[2].disk.peer_lists.size() == 2);
    CHECK_FALSE(p.dropped());
    // A list that the owner did not sign ends the connection.
    auto forged = list(4);
    forged.list.bytes.back() ^= 1;
    p.attack(forged);
    CHECK(p.dropped());
}

TEST_CASE("a receipt says what was asked for, also when the seed was refused and the node restarted") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net[0].problem_with_seeds = "not finite";
    net.publish(1);
    net.settle();
    REQUIRE(net[1].engine->own_exit().recipients.at(net.id(0)).version == SeedVersion{1});
    REQUIRE(net[0].disk.held_seeds.empty());
    net.crash_and_restart(0);
    net.run_for(20s);
    net.exit(1);
    net.run_for(20s);
    const auto exit = net[1].engine->own_exit();
    REQUIRE(exit.receipts.contains(net.id(0)));
    const auto receipt = verify_receipt(net.id(0), net.network(), exit.receipts.at(net.id(0)));
    REQUIRE(receipt);
    CHECK(receipt->erased == SeedVersion{0});
    CHECK(receipt->asked == SeedVersion{1});
    REQUIRE(exit.list);
    const auto list = verify_holder_list(net.network(), *exit.list);
    REQUIRE(list);
    CHECK(list->count == 1);
    CHECK(list->holders == digest_of_holders(exit.recipients));
    CHECK(list->notice == digest_of(exit.notice.bytes));
}

TEST_CASE("nodes of both versions exchange seeds, exits and receipts, each in its own words") {
    EngineNetwork net({"old", "new", "newest"}, {{0, 1}, {1, 2}, {0, 2}},
                      [](std::size_t node, EngineConfig& config) {
                          if (node == 0) config.wire.newest = 1;
                      });
    net.start();
    for (std::size_t node = 0; node < 3; ++node)
        net.publish(node);
    net.settle();
    for (std::size_t node = 0; node < 3; ++node)
        REQUIRE(net[node].in_ensemble.size() == 2);
    net.exit(1);
    net.run_for(5s);
    const auto exit = net[1].engine->own_exit();
    CHECK(exit.complete);
    const auto asked_by = [&](std::size_t node) {
        return verify_receipt(net.id(node), net.network(), exit.receipts.at(net.id(node)))->asked;
    };
    CHECK(!asked_by(0));
    CHECK(asked_by(2) == SeedVersion{1});
    CHECK(net[0].disk.peer_lists.empty());
    CHECK(net[2].disk.peer_lists.size() == 1);
    CHECK(net[0].engine->counters().peers_dropped == 0);
    CHECK(net[2].engine->counters().peers_dropped == 0);
    // The other way round: the one of version 2 learns of the exit of version 1, and leaves after it.
    net.exit(0);
    net.exit(2);
    net.run_for(5s);
    CHECK(net[0].engine->own_exit().receipts.contains(net.id(2)));
    CHECK(net[2].engine->own_exit().receipts.contains(net.id(0)));
}

TEST_CASE("requests beyond the end or the window are refused") {
    AttackedPair p;
    SUBCASE("beyond the end") {
        p.attack(Get{SeedVersion{1}, 6, 5});
    }
    SUBCASE("more than the window") {
        p.net.publish(0, 2'000'000);
        p.net.settle();
        p.attack(Get{SeedVersion{2}, 0, 100});
    }
    CHECK(p.dropped());
}

TEST_CASE("a repeated sequence number is refused") {
    AttackedPair p;
    p.attack(Ping{1});
    CHECK_FALSE(p.dropped());
    --p.sequence;
    p.attack(Ping{2});
    CHECK(p.dropped());
}

TEST_CASE("a hello under another node's name is refused") {
    AttackedPair p;
    Hello hello;
    hello.network = p.net.network();
    hello.sender = p.net.id(2);
    p.attack(hello);
    CHECK(p.why().find("bad identity") != std::string::npos);
}

TEST_CASE("a hello from another network is refused with a reason") {
    AttackedPair p;
    Hello hello;
    hello.sender = p.net.id(1);
    p.attack(hello);
    CHECK(p.why().find("wrong network") != std::string::npos);
}

TEST_CASE("a stranger is not let in") {
    AttackedPair p;
    const Identity stranger = Identity::from_seed({77});
    Hello hello;
    hello.network = p.net.network();
    hello.sender = stranger.id();
    p.net.feed(0, Received{4711, stranger.id().curve_key(), encode(Envelope{1, hello})});
    CHECK(p.why().find("not authorised") != std::string::npos);
}

TEST_CASE("a dropped peer is ignored for a while and may come back") {
    AttackedPair p;
    p.attack(Chunk{SeedVersion{9}, 0, Bytes(100)});
    REQUIRE(p.dropped());
    CHECK(p.net[0].engine->established_peers() == 1);
    // Dropping a peer is not forgetting it: its seed stays until it exits.
    CHECK(p.net[0].in_ensemble.count(p.net.id(1)) == 1);
    const auto ignored = p.net[0].engine->counters().messages_ignored;
    p.net.feed(0, Received{4712, p.net.id(1).curve_key(), encode(Envelope{1, Ping{1}})});
    CHECK(p.net[0].engine->counters().messages_ignored == ignored + 1);
}

TEST_CASE("an unknown session is told to say hello, and a nack is not answered") {
    AttackedPair p;
    p.net.feed(0, Received{4711, p.net.id(1).curve_key(), encode(Envelope{5, Ping{1}})});
    const auto answer = decode(p.net[0].sent.back().frames);
    REQUIRE(answer.has_value());
    CHECK(std::get<Nack>(answer->message).reason == NackReason::hello_first);
    const auto sent = p.net[0].sent.size();
    p.net.feed(
        0, Received{4711, p.net.id(1).curve_key(), encode(Envelope{6, Nack{NackReason::hello_first, 0}})});
    CHECK(p.net[0].sent.size() == sent);
}

TEST_CASE("no sequence of frames makes the engine fall over") {
    const bool ok = rc::check("random frames", [] {
        AttackedPair p;
        const auto steps = *rc::gen::inRange(1, 40);
        for (int i = 0; i < steps; ++i) {
            Frames frames;
            if (*rc::gen::inRange(0, 3) == 0) {
                const auto count = *rc::gen::inRange<std::size_t>(0, 4);
                for (std::size_t f = 0; f < count; ++f)
                    frames.push_back(*rc::gen::arbitrary<Bytes>());
            } else {
                Bytes body = *rc::gen::arbitrary<Bytes>();
                const auto kind = static_cast<std::uint8_t>(*rc::gen::inRange(0, 14));
                frames = {{'U', 'L', 1, kind, static_cast<std::uint8_t>(i), 1, 1, 0, 0, 0, 0, 0},
                          std::move(body)};
                if (kind == 7) frames.push_back(*rc::gen::arbitrary<Bytes>());
            }
            p.net.feed(0, Received{static_cast<SessionId>(5000 + i % 3), p.net.id(1).curve_key(),
                                   std::move(frames)});
            p.net.run_for(6s);
        }
        RC_ASSERT(p.net[0].in_ensemble.count(p.net.id(2)) == 1);
    });
    CHECK(ok);
}

TEST_CASE("what a peer says again and again while the disk hangs waits as one write") {
    constexpr std::uint64_t kTimes = 50;
    AttackedPair p;
    auto& victim = p.net[0];
    const auto waiting = [&]<typename Op>(Op*) {
        std::size_t count = 0;
        for (const auto& persist : victim.hanging)
            for (const auto& op : persist.ops)
                count += std::holds_alternative<Op>(op) ? 1 : 0;
        return count;
    };
    SUBCASE("leases: the newest is stored in the end") {
        p.silence_mallory();
        victim.storage_hangs = true;
        const auto held = std::find_if(victim.disk.held_seeds.begin(), victim.disk.held_seeds.end(),
                                       [&](const auto& seed) { return seed.owner == p.net.id(1); });
        REQUIRE(held != victim.disk.held_seeds.end());
        for (std::uint64_t number = 1; number <= kTimes; ++number)
            p.attack(
                Have{held->record, sign_lease(p.mallory(), p.net.network(),
                                              Lease{p.net.id(1), held->version, 1'000 + number, kFarAway})});
        REQUIRE_FALSE(p.dropped());
        CHECK(waiting(static_cast<PutHeldLease*>(nullptr)) == 1);
        p.net.release_storage(0);
        p.net.settle();
        bool found = false;
        for (const auto& lease : victim.disk.held_leases)
            found = found || (lease.owner == p.net.id(1) && lease.number == 1'000 + kTimes);
        CHECK(found);
    }
    SUBCASE("receipts") {
        p.net.filter = [](std::size_t, std::size_t to, const Frames&) { return to != 0; };
        p.net.exit(0);
        p.net.settle();
        REQUIRE(victim.engine->own_exit().announced);
        victim.storage_hangs = true;
        const auto receipt = sign_receipt(
            p.mallory(), p.net.network(),
            Receipt{p.net.id(0), p.net.id(1), ReceiptReason::exit, SeedVersion{1}, {}, SeedVersion{1}});
        for (std::uint64_t i = 0; i < kTimes; ++i)
            p.attack(ReceiptMessage{receipt});
        REQUIRE_FALSE(p.dropped());
        CHECK(waiting(static_cast<PutReceipt*>(nullptr)) == 1);
        p.net.release_storage(0);
        CHECK(victim.engine->own_exit().receipts.contains(p.net.id(1)));
    }
    SUBCASE("Hellos: it is announced to in the end") {
        // A lease of which mallory has not heard, as it was cut off when that was made.
        p.net.cut(0, 1);
        p.net.run_for(kLeaseRenewal + 1min);
        p.net.filter = [](std::size_t from, std::size_t, const Frames&) { return from != 1; };
        victim.storage_hangs = true;
        p.net.mend(0, 1);
        Hello hello;
        hello.network = p.net.network();
        hello.sender = p.net.id(1);
        hello.answer = true;
        for (std::uint64_t i = 0; i < kTimes; ++i)
            p.attack(hello);
        REQUIRE_FALSE(p.dropped());
        CHECK(waiting(static_cast<PutRecipient*>(nullptr)) == 1);
        victim.sent.clear();
        p.net.release_storage(0);
        std::size_t announced = 0;
        for (const auto& send : victim.sent) {
            const auto envelope = decode(send.frames);
            announced += envelope && std::holds_alternative<Have>(envelope->message) ? 1 : 0;
        }
        CHECK(announced == 1);
    }
}
