#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

std::vector<Receipt> receipts(Parts& parts) {
    std::vector<Receipt> out;
    for (const auto& message : parts.take_sent<ReceiptMessage>())
        out.push_back(verify_receipt(parts.self.id(), parts.network(), message.receipt).value());
    return out;
}

/// The peer is on record as a recipient of our seed when our exit begins.
void begin_exit_after_serving(Parts& parts) {
    LoadedState state;
    state.recipients.push_back({parts.peer.id(), SeedVersion{1}, parts.context.now.wall});
    parts.own_seed.load(state);
    parts.own_exit.begin();
}

}  // namespace

TEST_CASE("erasures: memory is clean when every wipe is answered, the disk when it was told so") {
    Parts parts;
    const NodeId owner = parts.peer.id();
    parts.erasures.wipe(owner, SeedVersion{2});
    parts.erasures.wipe(owner, SeedVersion{1});
    CHECK(parts.take<WipeSeed>().size() == 2);
    CHECK(parts.erasures.wiped_version(owner) == SeedVersion{2});
    CHECK_FALSE(parts.erasures.finish_wipe(owner));
    CHECK(parts.erasures.is_wiping(owner));
    CHECK(parts.erasures.finish_wipe(owner));
    CHECK_FALSE(parts.erasures.is_wiping(owner));
    CHECK_FALSE(parts.erasures.finish_wipe(owner));
    parts.erasures.put_on_disk(owner);
    CHECK(parts.erasures.erased_from_disk(owner));
    CHECK_FALSE(parts.erasures.erased_from_disk(owner));
}

TEST_CASE(
    "an exit stops all use at once, is passed on when durable, and gets its receipt after both erasures") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    parts.connect(parts.other, 2);
    const NodeId owner = parts.peer.id();
    parts.context.effects.clear();
    parts.learn_exit_of(parts.peer);
    CHECK(parts.exits.contains(owner));
    CHECK_FALSE(parts.held.has(owner));
    CHECK(parts.exits.take_new_durable().empty());
    const auto effects = parts.context.effects;
    CHECK(parts.take<Send>().empty());
    parts.context.effects = effects;
    const auto tombstone = parts.store<after_write::TombstoneStored>();
    CHECK_FALSE(parts.exits.on(tombstone));
    CHECK(parts.take_sent<Exit>().size() == 2);
    CHECK(parts.exits.take_new_durable().size() == 1);
    CHECK(parts.exits.is_erasing());
    // Memory first, then the disk, then the receipt.
    CHECK_FALSE(parts.exits.advance(owner));
    REQUIRE(parts.erasures.finish_wipe(owner));
    CHECK_FALSE(parts.exits.advance(owner));
    const auto erased = parts.store<after_write::SeedErased>();
    CHECK(parts.exits.on(erased));
    CHECK_FALSE(parts.exits.is_erasing());
    const auto signed_receipts = receipts(parts);
    REQUIRE(signed_receipts.size() == 1);
    CHECK(signed_receipts[0].owner == owner);
    CHECK(signed_receipts[0].erased == SeedVersion{1});
    CHECK(signed_receipts[0].reason == ReceiptReason::exit);
    // It asks again because the receipt was lost; somebody else gets none.
    parts.exits.answer_again(owner, parts.other.id());
    CHECK(receipts(parts).empty());
    parts.exits.answer_again(owner, owner);
    CHECK(receipts(parts).size() == 1);
}

TEST_CASE("a receipt that is repeated after a restart says what was erased") {
    Parts before;
    before.hold_seed_of(before.peer, 1, 3);
    before.learn_exit_of(before.peer);
    const auto asked = before.take<Persist>();
    REQUIRE(asked.size() == 1);
    LoadedState state;
    state.tombstones.push_back(std::get<PutTombstone>(asked[0].ops.at(0)));
    CHECK(state.tombstones[0].erased == SeedVersion{3});

    Parts after;
    after.exits.load(state);
    after.exits.start();
    after.connect(after.peer, 1);
    after.context.effects.clear();
    after.exits.answer_again(after.peer.id(), after.peer.id());
    const auto repeated = receipts(after);
    REQUIRE(repeated.size() == 1);
    CHECK(repeated[0].erased == SeedVersion{3});
}

TEST_CASE("an exit that is not durable is neither passed on nor followed by an erasure on disk") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    parts.connect(parts.other, 2);
    parts.learn_exit_of(parts.peer);
    const auto tombstone = parts.store<after_write::TombstoneStored>();
    REQUIRE(parts.erasures.finish_wipe(parts.peer.id()));
    CHECK_FALSE(parts.exits.advance(parts.peer.id()));
    CHECK(parts.context.effects.empty());
    // The control: once it is durable, both happen. Before that, both neighbours hear our new state.
    CHECK_FALSE(parts.exits.on(tombstone));
    const auto effects = parts.context.effects;
    CHECK(parts.take_sent<Exit>().size() == 2);
    parts.context.effects = effects;
    CHECK(parts.take_sent<StateMessage>().size() == 2);
    parts.context.effects = effects;
    CHECK(parts.take<Persist>().size() == 1);
}

TEST_CASE("an exit of somebody whose seed was never here is complete when it is durable") {
    Parts parts;
    parts.learn_exit_of(parts.other);
    CHECK(parts.exits.on(parts.store<after_write::TombstoneStored>()));
    CHECK(parts.take<Persist>().empty());
}

TEST_CASE("notices are given out only once they are durable") {
    Parts parts;
    parts.learn_exit_of(parts.other);
    const ExitedId wanted{parts.other.id().bytes()};
    CHECK(parts.exits.durable_notice_of(wanted) == nullptr);
    CHECK(parts.exits.contains(wanted));
    parts.exits.on(parts.store<after_write::TombstoneStored>());
    CHECK(parts.exits.durable_notice_of(wanted) != nullptr);
    CHECK(parts.exits.durable_notice_of(ExitedId{parts.peer.id().bytes()}) == nullptr);
}

TEST_CASE("our exit: durable, then announced, and complete with every receipt and every erasure") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    begin_exit_after_serving(parts);
    CHECK(parts.own_exit.begun());
    CHECK_FALSE(parts.own_exit.progress().durable);
    CHECK(parts.own_exit.announced_notice() == nullptr);
    CHECK(parts.held.has(parts.peer.id()));
    // The list of holders is stored with the exit, before anybody is told of it.
    CHECK_FALSE(parts.own_exit.progress().list);
    const auto exit_stored = parts.store<after_write::ExitStored>();
    REQUIRE(exit_stored.list);
    const auto listed = verify_holder_list(parts.network(), *exit_stored.list);
    REQUIRE(listed);
    CHECK(listed->count == 1);

    parts.own_exit.on(exit_stored);
    CHECK(parts.own_exit.progress().durable);
    CHECK(parts.own_exit.progress().list == exit_stored.list);
    CHECK(parts.own_exit.announced_notice() != nullptr);
    CHECK_FALSE(parts.held.has(parts.peer.id()));
    auto effects = parts.context.effects;
    CHECK(parts.take<WipeSeed>().size() == 1);
    parts.context.effects = effects;
    CHECK(parts.take_sent<Exit>().size() == 1);
    parts.context.effects = effects;
    const auto lists = parts.take_sent<Holders>();
    REQUIRE(lists.size() == 1);
    CHECK(lists[0].list == *exit_stored.list);

    const Receipt receipt{parts.self.id(), parts.peer.id(),        ReceiptReason::exit,
                          SeedVersion{1},  parts.context.now.wall, SeedVersion{1}};
    const ReceiptMessage message{sign_receipt(parts.peer, parts.network(), receipt)};
    Session& session = *parts.sessions.established(parts.peer.id());
    Session of_another = session;
    of_another.peer = parts.other.id();
    CHECK_FALSE(parts.own_exit.take_receipt(of_another, message));
    REQUIRE(parts.own_exit.take_receipt(session, message));
    parts.own_exit.on(parts.store<after_write::ReceiptStored>());
    // The peer's own seed is still to be erased: first in memory, then on disk, then our receipt.
    parts.own_exit.continue_erasing();
    parts.own_exit.tick();
    CHECK(parts.take<Persist>().empty());
    REQUIRE(parts.erasures.finish_wipe(parts.peer.id()));
    parts.own_exit.continue_erasing();
    const auto erased = parts.store<after_write::AllErased>();
    parts.own_exit.send_left_receipt_to(1, session);
    parts.own_exit.give_up();
    CHECK(receipts(parts).empty());
    CHECK_FALSE(parts.own_exit.progress().complete);

    parts.own_exit.on(erased);
    CHECK(parts.own_exit.progress().complete);
    effects = parts.context.effects;
    CHECK(receipts(parts).size() == 1);
    // Somebody who stays keeps the notice, so this identity is finished.
    parts.context.effects = effects;
    CHECK(parts.store<after_write::RetirementStored>().reason == "exit complete");
}

TEST_CASE("the list of holders waits until a recipient that is being recorded is on record") {
    Parts parts;
    Session& session = parts.connect(parts.peer, 1);
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    parts.own_seed.on(parts.store<after_write::OwnSeedStored>());
    parts.context.effects.clear();
    REQUIRE(parts.own_seed.take_get(1, session, Get{SeedVersion{1}, 0, 1}));
    const auto recording = parts.store<after_write::RecipientStored>();
    parts.own_exit.begin();
    const auto exit_stored = parts.store<after_write::ExitStored>();
    CHECK_FALSE(exit_stored.list);
    parts.own_exit.on(exit_stored);
    REQUIRE(parts.own_exit.announced_notice() != nullptr);
    CHECK(parts.take<Persist>().empty());
    parts.own_seed.on(recording);
    parts.context.effects.clear();
    parts.own_exit.tick();
    const auto list = parts.store<after_write::HolderListStored>();
    CHECK_FALSE(parts.own_exit.progress().list);
    parts.own_exit.on(list);
    CHECK(parts.own_exit.progress().list == list.list);
    CHECK(verify_holder_list(parts.network(), list.list)->count == 1);
    CHECK(parts.take_sent<Holders>().size() == 1);
    // It is signed once.
    parts.own_exit.tick();
    CHECK(parts.take<Persist>().empty());
}

TEST_CASE("the list of another owner's holders is stored after its seed is erased, and passed on then") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    parts.connect(parts.other, 2);
    parts.learn_exit_of(parts.peer);
    const auto tombstone = parts.store<after_write::TombstoneStored>();
    const HolderList list{parts.peer.id(), digest_of(parts.notice_of(parts.peer).bytes), 0,
                          digest_of_holders({})};
    const auto signed_list = sign_holder_list(parts.peer, parts.network(), list);
    parts.exits.take_list(list, signed_list, parts.peer.id());
    parts.exits.store_lists();
    CHECK(parts.take<Persist>().empty());
    parts.exits.on(tombstone);
    REQUIRE(parts.erasures.finish_wipe(parts.peer.id()));
    parts.exits.advance(parts.peer.id());
    parts.context.effects.erase(
        std::remove_if(parts.context.effects.begin(), parts.context.effects.end(),
                       [](const auto& effect) { return std::holds_alternative<Send>(effect); }),
        parts.context.effects.end());
    parts.exits.on(parts.store<after_write::SeedErased>());
    const auto effects = parts.context.effects;
    CHECK(receipts(parts).size() == 1);
    parts.context.effects = effects;
    parts.exits.store_lists();
    const auto stored = parts.store<after_write::PeerListStored>();
    CHECK(parts.take_sent<Holders>().empty());
    parts.exits.on(stored);
    // The other neighbour gets it, and not the one from which it came.
    const auto passed_on = parts.take_sent<Holders>();
    REQUIRE(passed_on.size() == 1);
    CHECK(passed_on[0].list == signed_list);
}

TEST_CASE("a receipt is in the words of the session's version, and a later one counts when it proves more") {
    Parts parts;
    parts.connect(parts.peer, 1);
    begin_exit_after_serving(parts);
    Session& session = *parts.sessions.established(parts.peer.id());
    const auto say = [&](std::optional<SeedVersion> asked) {
        const Receipt receipt{parts.self.id(), parts.peer.id(),        ReceiptReason::exit,
                              SeedVersion{0},  parts.context.now.wall, asked};
        return parts.own_exit.take_receipt(session, {sign_receipt(parts.peer, parts.network(), receipt)});
    };
    const auto stored = [&] {
        const auto persists = parts.take<Persist>();
        return std::count_if(persists.begin(), persists.end(), [](const Persist& persist) {
            return std::holds_alternative<PutReceipt>(persist.ops.at(0));
        });
    };
    session.version = 2;
    CHECK_FALSE(say(std::nullopt));
    session.version = 1;
    CHECK_FALSE(say(SeedVersion{1}));
    session.version = 2;
    parts.context.effects.clear();
    // It was served version 1, and signs that it never asked for it.
    REQUIRE(say(SeedVersion{0}));
    parts.own_exit.on(parts.store<after_write::ReceiptStored>());
    REQUIRE(say(SeedVersion{0}));
    CHECK(stored() == 0);
    REQUIRE(say(SeedVersion{1}));
    parts.own_exit.on(parts.store<after_write::ReceiptStored>());
    for (const std::uint64_t more : {0, 1, 2}) {
        REQUIRE(say(SeedVersion{more}));
        CHECK(stored() == 0);
    }
}

TEST_CASE("a receipt that nobody expects is an offence") {
    Parts parts;
    const Receipt receipt{parts.self.id(), parts.peer.id(), ReceiptReason::exit, SeedVersion{1},
                          parts.context.now.wall};
    const auto taken = parts.own_exit.take_receipt(parts.connect(parts.peer, 1),
                                                   {sign_receipt(parts.peer, parts.network(), receipt)});
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == ErrorCode::unsolicited);
}

TEST_CASE("a notice goes out again, with longer pauses, until the receipt is here") {
    Parts parts;
    parts.connect(parts.peer, 1);
    begin_exit_after_serving(parts);
    parts.own_exit.on(parts.store<after_write::ExitStored>());
    REQUIRE(parts.own_exit.announced_notice() != nullptr);
    parts.context.effects.clear();
    parts.pass(kExitRetryFirst);
    parts.own_exit.tick();
    CHECK(parts.take_sent<Exit>().size() == 1);
    parts.pass(kExitRetryFirst);
    parts.own_exit.tick();
    CHECK(parts.take_sent<Exit>().empty());
    parts.pass(kExitRetryFirst);
    parts.own_exit.tick();
    CHECK(parts.take_sent<Exit>().size() == 1);
}

TEST_CASE("our own exit that a peer shows us ends all use at once") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    parts.own_exit.meet(parts.notice_of(parts.self), parts.peer.id());
    CHECK(parts.own_exit.progress().met);
    CHECK_FALSE(parts.held.has(parts.peer.id()));
}

TEST_CASE("who gives up waits for no receipt, and does not retire before others' seeds are erased") {
    Parts parts;
    parts.hold_seed_of(parts.peer, 1);
    parts.learn_exit_of(parts.peer);
    parts.context.effects.clear();
    parts.own_exit.begin();
    parts.own_exit.on(parts.store<after_write::ExitStored>());
    REQUIRE(parts.own_exit.announced_notice() != nullptr);
    parts.context.effects.clear();
    REQUIRE(parts.exits.is_erasing());
    parts.own_exit.give_up();
    CHECK(parts.take<Persist>().empty());
    REQUIRE(parts.erasures.finish_wipe(parts.peer.id()));
    parts.erasures.erased_from_disk(parts.peer.id());
    parts.own_exit.continue_retiring();
    CHECK(parts.store<after_write::RetirementStored>().reason == "exit complete");
}
