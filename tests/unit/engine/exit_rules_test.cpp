#include <algorithm>

#include <doctest/doctest.h>

#include "parts.hpp"
#include "protocol/engine/comparison/known_exits.hpp"

/// Single rules of our exit, of others' exits, and of what is told of both.

using namespace unlearn::testing;

namespace {

template <typename T>
const T* exit_rules_find(const std::vector<StoreOp>& ops) {
    for (const auto& op : ops)
        if (const auto* found = std::get_if<T>(&op)) return found;
    return nullptr;
}

template <typename T>
bool exit_rules_asks(const std::vector<Persist>& asked) {
    return std::any_of(asked.begin(), asked.end(),
                       [](const Persist& persist) { return exit_rules_find<T>(persist.ops) != nullptr; });
}

struct ExitRules : Parts {
    /// The messages of one kind that were sent; other effects stay.
    template <typename T>
    [[nodiscard]] std::vector<T> sent() {
        const auto effects = context.effects;
        auto out = take_sent<T>();
        context.effects = effects;
        return out;
    }
    [[nodiscard]] std::vector<StoreOp> asked_at_once() {
        const auto effects = context.effects;
        const auto asked = take<Persist>();
        context.effects = effects;
        REQUIRE(asked.size() == 1);
        return asked[0].ops;
    }
    void start_durably() {
        context.config.start.value.fill(1);
        own_state.start();
        own_state.on(store<after_write::StateStored>());
        context.effects.clear();
    }
    /// What a crash during our exit leaves on disk.
    [[nodiscard]] LoadedState exiting(bool met = false) const {
        LoadedState state;
        state.exiting = PutExiting{notice_of(self), met};
        return state;
    }
    [[nodiscard]] SignedBytes list_of(const Identity& owner, std::uint32_t count = 0) const {
        const HolderList list{owner.id(), digest_of(notice_of(owner).bytes), count, digest_of_holders({})};
        return sign_holder_list(owner, network(), list);
    }
    [[nodiscard]] ReceiptMessage receipt(const Identity& holder, ReceiptReason reason,
                                         const Identity& owner) const {
        const Receipt says{owner.id(), holder.id(), reason, SeedVersion{1}, context.now.wall, SeedVersion{1}};
        return {sign_receipt(holder, network(), says)};
    }
    /// The holder is on record as a recipient of our seed.
    void have_served(const Identity& holder) {
        LoadedState state;
        state.recipients.push_back({holder.id(), SeedVersion{1}, context.now.wall});
        own_seed.load(state);
    }
    /// The neighbour shows us our newest statement, so our state is no old copy.
    void confirm_state(const Identity& neighbour, SessionId id) {
        Session& session = *sessions.established(neighbour.id());
        context.effects.clear();
        own_state.send_to(id, session);
        const auto ours = take_sent<StateMessage>();
        REQUIRE(ours.size() == 1);
        StateStatement theirs{neighbour.id(), 1, {}, {}};
        theirs.start.value.fill(9);
        REQUIRE(own_state.take(id, session, {sign_state(neighbour, network(), theirs), false, ours[0].own}));
        REQUIRE(own_state.is_confirmed());
        context.effects.clear();
    }
    /// A peer has shown us our own exit, which is announced now.
    void meet_own_exit() {
        start_durably();
        own_exit.meet(notice_of(self), peer.id());
        own_exit.on(store<after_write::ExitStored>());
        REQUIRE(own_exit.announced_notice() != nullptr);
        context.effects.clear();
    }
    /// The exit of `owner`, durable, and completely erased where its seed was not here.
    void learn_durably(const Identity& owner) {
        learn_exit_of(owner);
        exits.on(store<after_write::TombstoneStored>());
        context.effects.clear();
    }
    void learn_list_of(const Identity& owner) {
        const auto list = list_of(owner);
        exits.take_list(*verify_holder_list(network(), list), list, self.id());
    }
};

}  // namespace

// ---------------------------------------------------------------- exits of others

TEST_CASE("the exit of another owner, and ours, are stored together with the number that counts them") {
    ExitRules parts;
    parts.start_durably();
    parts.learn_exit_of(parts.other);
    const auto ops = parts.asked_at_once();
    CHECK(exit_rules_find<PutTombstone>(ops));
    REQUIRE(exit_rules_find<PutStart>(ops));
    CHECK(exit_rules_find<PutStart>(ops)->number == 2);
    parts.context.effects.clear();
    parts.own_exit.begin();
    const auto own = parts.asked_at_once();
    CHECK(exit_rules_find<PutExiting>(own));
    REQUIRE(exit_rules_find<PutStart>(own));
    CHECK(exit_rules_find<PutStart>(own)->number == 3);
}

TEST_CASE(
    "an owner that says Hello after its exit is sent what is durable, and no receipt before the erasure") {
    ExitRules parts;
    parts.hold_seed_of(parts.peer, 1);
    Session& session = *parts.sessions.established(parts.peer.id());
    parts.learn_exit_of(parts.peer);
    parts.learn_list_of(parts.peer);
    const auto stored = parts.store<after_write::TombstoneStored>();
    parts.exits.greet(1, session);
    CHECK(parts.context.effects.empty());
    CHECK(parts.exits.lists_of(ExitedId{parts.peer.id().bytes()}).empty());

    parts.exits.on(stored);
    parts.context.effects.clear();
    parts.exits.greet(1, session);
    CHECK(parts.sent<Exit>().size() == 1);
    // A copy of the owner must not sign another list.
    CHECK(parts.sent<Holders>().size() == 1);
    CHECK(parts.sent<ReceiptMessage>().empty());
    CHECK(parts.exits.lists_of(ExitedId{parts.peer.id().bytes()}).size() == 1);

    REQUIRE(parts.erasures.finish_wipe(parts.peer.id()));
    parts.context.effects.clear();
    parts.exits.advance(parts.peer.id());
    parts.exits.on(parts.store<after_write::SeedErased>());
    parts.context.effects.clear();
    parts.exits.greet(1, session);
    CHECK(parts.sent<ReceiptMessage>().size() == 1);
}

TEST_CASE(
    "we do not retire while the seed of an owner that left is being wiped, though it never was on disk") {
    ExitRules parts;
    Session& session = parts.connect(parts.peer, 1);
    parts.announce(1, session, parts.have_of(parts.peer, 1, 1));
    REQUIRE(parts.held.take_chunk(1, session, Chunk{SeedVersion{1}, 0, Bytes(1000, 7)}));
    parts.context.effects.clear();
    parts.learn_durably(parts.peer);
    REQUIRE_FALSE(parts.erasures.may_be_on_disk(parts.peer.id()));
    REQUIRE(parts.erasures.is_wiping(parts.peer.id()));
    parts.own_exit.begin();
    parts.own_exit.on(parts.store<after_write::ExitStored>());
    parts.context.effects.clear();
    parts.own_exit.give_up();
    parts.own_exit.continue_retiring();
    CHECK(parts.take<Persist>().empty());
    REQUIRE(parts.erasures.finish_wipe(parts.peer.id()));
    parts.own_exit.continue_retiring();
    CHECK(exit_rules_asks<PutRetired>(parts.take<Persist>()));
}

// ---------------------------------------------------------------- what is told of exits

TEST_CASE("our own exit is known here from its beginning, and told of once it is announced") {
    ExitRules parts;
    KnownExits known(parts.context, parts.sessions, parts.exits, parts.own_exit);
    const ExitedId ours{parts.self.id().bytes()};
    parts.hold_seed_of(parts.peer, 1);
    CHECK_FALSE(known.contains(ours));
    parts.own_exit.begin();
    CHECK(known.contains(ours));
    CHECK_FALSE(known.set().contains(ours));
    parts.own_exit.on(parts.store<after_write::ExitStored>());
    CHECK(known.set().contains(ours));
    CHECK(known.set().size() == 1);
}

TEST_CASE("a neighbour of version 1 is sent the notices that it asks for without lists of holders") {
    ExitRules parts;
    KnownExits known(parts.context, parts.sessions, parts.exits, parts.own_exit);
    Session& session = parts.connect(parts.peer, 1);
    parts.learn_durably(parts.other);
    parts.learn_list_of(parts.other);
    const auto send = [&](std::uint8_t version) {
        session.version = version;
        parts.context.effects.clear();
        known.send_notices(1, session, {ExitedId{parts.other.id().bytes()}},
                           [](Kind, std::size_t) { return true; });
        CHECK(parts.sent<Exit>().size() == 1);
        return parts.sent<Holders>().size();
    };
    CHECK(send(2) == 1);
    CHECK(send(1) == 0);
}

// ---------------------------------------------------------------- our exit after a restart

TEST_CASE("a peer that signed that it left is not served after a restart either") {
    ExitRules parts;
    LoadedState state;
    state.receipts.push_back(
        {parts.peer.id(), parts.receipt(parts.peer, ReceiptReason::left, parts.self).receipt});
    parts.own_exit.load(state);
    Session& session = parts.connect(parts.peer, 1);
    parts.connect(parts.other, 2);
    parts.context.effects.clear();
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    parts.own_seed.on(parts.store<after_write::OwnSeedStored>());
    CHECK(parts.take_sent<Have>().size() == 1);  // the other one's
    REQUIRE(parts.own_seed.take_get(1, session, Get{SeedVersion{1}, 0, 1}));
    CHECK(parts.take_sent<Nack>().size() == 1);
}

TEST_CASE("a list of our holders that is stored is sent after a restart, and no other one is signed") {
    ExitRules parts;
    LoadedState state = parts.exiting();
    const SignedBytes list = parts.list_of(parts.self, 3);
    state.holder_list = PutHolderList{list};
    parts.own_exit.load(state);
    parts.have_served(parts.peer);
    parts.own_exit.start();
    parts.own_exit.tick();
    CHECK_FALSE(exit_rules_asks<PutHolderList>(parts.take<Persist>()));
    CHECK(parts.own_exit.progress().list == list);
    Session& session = parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    parts.own_exit.send_notice_to(1, session);
    CHECK(parts.sent<Exit>().size() == 1);
    const auto lists = parts.take_sent<Holders>();
    REQUIRE(lists.size() == 1);
    CHECK(lists[0].list == list);
}

TEST_CASE("a `left` receipt that is stored is not signed again") {
    ExitRules parts;
    LoadedState state = parts.exiting();
    const SignedBytes left = parts.receipt(parts.self, ReceiptReason::left, parts.peer).receipt;
    state.left_receipts.push_back({parts.peer.id(), left});
    parts.own_exit.load(state);
    // The file of the seed is here again, for example because a backup was put back.
    parts.erasures.put_on_disk(parts.peer.id());
    Session& session = parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    parts.own_exit.start();
    const auto ops = parts.asked_at_once();
    CHECK(exit_rules_find<EraseHeldSeed>(ops));
    CHECK_FALSE(exit_rules_find<PutLeftReceipt>(ops));
    parts.own_exit.on(parts.store<after_write::AllErased>());
    parts.context.effects.clear();
    parts.own_exit.send_left_receipt_to(1, session);
    const auto sent = parts.take_sent<ReceiptMessage>();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].receipt == left);
}

TEST_CASE("our `left` receipt names the version that we asked for, not only the one that we erased") {
    ExitRules parts;
    parts.hold_seed_of(parts.peer, 1, 1);
    Session& session = *parts.sessions.established(parts.peer.id());
    parts.announce(1, session, parts.have_of(parts.peer, 2, 2));
    parts.context.effects.clear();
    parts.own_exit.begin();
    parts.own_exit.on(parts.store<after_write::ExitStored>());
    REQUIRE(parts.erasures.finish_wipe(parts.peer.id()));
    parts.context.effects.clear();
    parts.own_exit.continue_erasing();
    const auto ops = parts.asked_at_once();
    const auto* put = exit_rules_find<PutLeftReceipt>(ops);
    REQUIRE(put);
    const auto left = verify_receipt(parts.self.id(), parts.network(), put->receipt);
    REQUIRE(left);
    CHECK(left->erased == SeedVersion{1});
    CHECK(left->asked == SeedVersion{2});
}

// ---------------------------------------------------------------- the list of our holders

TEST_CASE("who meets its own exit signs no list before a neighbour confirms its state") {
    ExitRules parts;
    parts.connect(parts.peer, 1);
    SUBCASE("at once") {
        parts.meet_own_exit();
    }
    SUBCASE("after a restart") {
        LoadedState state = parts.exiting(true);
        parts.own_exit.load(state);
        parts.start_durably();
        parts.own_exit.start();
    }
    CHECK(parts.own_exit.progress().met);
    parts.own_exit.tick();
    CHECK_FALSE(exit_rules_asks<PutHolderList>(parts.take<Persist>()));
    parts.confirm_state(parts.peer, 1);
    parts.own_exit.tick();
    CHECK(exit_rules_asks<PutHolderList>(parts.take<Persist>()));
}

TEST_CASE("who meets its own exit, and a list that it did not sign, signs none and retires at once") {
    ExitRules parts;
    parts.connect(parts.peer, 1);
    parts.connect(parts.other, 2);
    parts.meet_own_exit();
    parts.confirm_state(parts.peer, 1);
    parts.own_exit.take_list(parts.list_of(parts.self, 3), parts.peer.id());
    CHECK(parts.take_events() == std::vector{EventKind::equivocation});
    parts.own_exit.tick();
    const auto asked = parts.take<Persist>();
    CHECK_FALSE(exit_rules_asks<PutHolderList>(asked));
    CHECK(exit_rules_asks<PutRetired>(asked));
}

TEST_CASE("our own list that comes back to us is no rival of itself") {
    ExitRules parts;
    parts.connect(parts.peer, 1);
    parts.have_served(parts.peer);
    LoadedState state = parts.exiting();
    const SignedBytes list = parts.list_of(parts.self, 1);
    state.holder_list = PutHolderList{list};
    parts.own_exit.load(state);
    parts.own_exit.start();
    parts.context.effects.clear();
    parts.own_exit.take_list(list, parts.peer.id());
    CHECK(parts.take_events().empty());
    parts.own_exit.take_list(parts.list_of(parts.self, 3), parts.peer.id());
    CHECK(parts.take_events() == std::vector{EventKind::equivocation});
}

TEST_CASE(
    "who gives up retires after the list of its holders is signed and sent, though no receipt is there") {
    ExitRules parts;
    Session& session = parts.connect(parts.peer, 1);
    parts.own_seed.publish(PublishSeed{"linear", Parts::bytes(1000)});
    parts.own_seed.on(parts.store<after_write::OwnSeedStored>());
    parts.context.effects.clear();
    // The list waits for a recipient that is being put on record.
    REQUIRE(parts.own_seed.take_get(1, session, Get{SeedVersion{1}, 0, 1}));
    const auto recorded = parts.store<after_write::RecipientStored>();
    parts.own_exit.begin();
    parts.own_exit.on(parts.store<after_write::ExitStored>());
    parts.own_exit.give_up();
    parts.own_exit.tick();
    CHECK(parts.take<Persist>().empty());
    parts.own_seed.on(recorded);
    parts.context.effects.clear();
    parts.own_exit.tick();
    const auto list = parts.store<after_write::HolderListStored>();
    CHECK(verify_holder_list(parts.network(), list.list)->count == 1);
    parts.own_exit.on(list);
    CHECK(parts.sent<Holders>().size() == 1);
    CHECK(parts.store<after_write::RetirementStored>().reason == "given up");
}

// ---------------------------------------------------------------- receipts

TEST_CASE("a receipt for the exit of another owner is an offence") {
    ExitRules parts;
    Session& session = parts.connect(parts.peer, 1);
    parts.have_served(parts.peer);
    parts.own_exit.begin();
    parts.context.effects.clear();
    const auto taken =
        parts.own_exit.take_receipt(session, parts.receipt(parts.peer, ReceiptReason::exit, parts.other));
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == ErrorCode::unsolicited);
    CHECK(parts.take<Persist>().empty());
    CHECK(parts.own_exit.take_receipt(session, parts.receipt(parts.peer, ReceiptReason::exit, parts.self)));
}

TEST_CASE("a complete exit waits with its retirement until one that stays has the notice") {
    ExitRules parts;
    Session& leaver = parts.connect(parts.peer, 1);
    Session& stays = parts.connect(parts.other, 2);
    parts.have_served(parts.peer);
    parts.learn_durably(parts.peer);
    parts.own_exit.begin();
    parts.own_exit.on(parts.store<after_write::ExitStored>());
    parts.context.effects.clear();
    const auto take = [&](Session& session, const Identity& holder, ReceiptReason reason) {
        REQUIRE(parts.own_exit.take_receipt(session, parts.receipt(holder, reason, parts.self)));
        parts.own_exit.on(parts.store<after_write::ReceiptStored>());
        parts.own_exit.tick();
        return exit_rules_asks<PutRetired>(parts.take<Persist>());
    };
    CHECK_FALSE(take(leaver, parts.peer, ReceiptReason::left));
    CHECK(parts.own_exit.progress().complete);
    CHECK(take(stays, parts.other, ReceiptReason::exit));
}
