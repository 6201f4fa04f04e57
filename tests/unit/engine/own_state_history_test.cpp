#include <doctest/doctest.h>

#include "parts.hpp"

/// What a node's own starts, those of its copies, and the word of its neighbours say of its state.

using namespace unlearn::testing;

namespace {

StartId history_start(std::uint8_t fill) {
    StartId start;
    start.value.fill(fill);
    return start;
}

SignedBytes history_statement(const Parts& parts, const Identity& node, std::uint64_t number, StartId start,
                              StartId previous = {}) {
    return sign_state(node, parts.network(), StateStatement{node.id(), number, start, previous});
}

/// The node has started durably, and this is its statement.
struct HistoryStarted : Parts {
    StartId ours = history_start(1);
    SignedBytes first;
    Session& session = connect(peer, 1);
    Session& session_of_other = connect(other, 2);

    HistoryStarted() {
        context.config.start = ours;
        own_state.start();
        own_state.on(store<after_write::StateStored>());
        first = said_now()->own;
    }
    /// What the peer is told when it asks now.
    [[nodiscard]] std::optional<StateMessage> said_now() {
        context.effects.clear();
        own_state.send_to(1, session);
        auto sent = take_sent<StateMessage>();
        if (sent.empty()) return std::nullopt;
        return std::move(sent.at(0));
    }
    /// The peer, or the other one, shows a statement of ours.
    [[nodiscard]] Result<OwnState::Finding> show(const SignedBytes& statement, bool by_other = false) {
        const Identity& who = by_other ? other : peer;
        return own_state.take(by_other ? 2 : 1, by_other ? session_of_other : session,
                              {history_statement(*this, who, 1, history_start(50)), false, statement});
    }
    [[nodiscard]] SignedBytes seen(std::uint64_t number, std::uint8_t start, StartId previous = {}) const {
        return history_statement(*this, self, number, history_start(start), previous);
    }
    /// All that is to be stored in the one transaction since the last look.
    [[nodiscard]] std::vector<StoreOp> asked_at_once() {
        const auto asked = take<Persist>();
        REQUIRE(asked.size() == 1);
        return asked[0].ops;
    }
};

template <typename T>
const T* history_find(const std::vector<StoreOp>& ops) {
    for (const auto& op : ops)
        if (const auto* found = std::get_if<T>(&op)) return found;
    return nullptr;
}

/// Our own start among what is stored, or that of a copy.
const PutStart* history_find_start(const std::vector<StoreOp>& ops, bool seen_by_others) {
    for (const auto& op : ops)
        if (const auto* start = std::get_if<PutStart>(&op); start && start->seen_by_others == seen_by_others)
            return start;
    return nullptr;
}

}  // namespace

TEST_CASE("it is the first start only when nothing at all was stored before") {
    const auto is_first = [](const auto& store) {
        Parts parts;
        LoadedState state;
        store(parts, state);
        parts.own_state.load(state);
        return parts.own_state.is_first_start();
    };
    CHECK(is_first([](Parts&, LoadedState&) {}));
    CHECK_FALSE(is_first([](Parts&, LoadedState& state) {
        state.starts.push_back({history_start(1), {}, 1, false});
    }));
    CHECK_FALSE(is_first([](Parts& parts, LoadedState& state) {
        state.tombstones.push_back({parts.other.id(), parts.notice_of(parts.other), SeedVersion{0}});
    }));
    CHECK_FALSE(is_first([](Parts& parts, LoadedState& state) {
        state.held_seeds.push_back({parts.other.id(), SeedVersion{1}, {}, Parts::bytes(1)});
    }));
    CHECK_FALSE(is_first([](Parts& parts, LoadedState& state) {
        state.recipients.push_back({parts.other.id(), SeedVersion{1}, WallTime{}});
    }));
    CHECK_FALSE(is_first([](Parts&, LoadedState& state) { state.last_own_version = SeedVersion{1}; }));
}

TEST_CASE("a start of a copy is known after a restart but not ours, and claiming goes on above it") {
    Parts parts;
    parts.context.config.start = history_start(3);
    LoadedState state;
    state.starts = {{history_start(1), {}, 4, false}, {history_start(2), history_start(1), 9, true}};
    state.copied = true;
    parts.own_state.load(state);
    CHECK(parts.own_state.is_copied());
    parts.own_state.start();
    const auto stored = parts.store<after_write::StateStored>().state;
    CHECK(stored.previous == history_start(1));
    CHECK(stored.number == 5);
    parts.own_state.claim();
    const auto asked = parts.take<Persist>();
    REQUIRE_FALSE(asked.empty());
    const auto* claimed = history_find_start(asked[0].ops, false);
    REQUIRE(claimed);
    CHECK(claimed->previous == history_start(2));
    CHECK(claimed->number == 10);
}

TEST_CASE("a peer's statement that was stored is shown to it after a restart") {
    Parts parts;
    const SignedBytes kept = history_statement(parts, parts.peer, 5, history_start(50));
    LoadedState state;
    state.peer_states.push_back({parts.peer.id(), 5, kept});
    parts.own_state.load(state);
    parts.own_state.start();
    parts.own_state.on(parts.store<after_write::StateStored>());
    Session& session = parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    parts.own_state.send_to(1, session);
    auto sent = parts.take_sent<StateMessage>();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].yours == kept);
    // A state of it that goes back is found out.
    const SignedBytes older = history_statement(parts, parts.peer, 4, history_start(51));
    REQUIRE(parts.own_state.take(1, session, {older, false, std::nullopt}));
    sent = parts.take_sent<StateMessage>();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].yours == kept);
}

TEST_CASE(
    "a peer's newer statement is not shown before it is stored, and no other one of that number is kept") {
    HistoryStarted parts;
    const auto say = [&](std::uint64_t number, std::uint8_t start) {
        const auto statement = history_statement(parts, parts.peer, number, history_start(start));
        REQUIRE(parts.own_state.take(1, parts.session, {statement, false, std::nullopt}));
        return statement;
    };
    const SignedBytes first = say(3, 50);
    CHECK_FALSE(parts.said_now()->yours);
    parts.own_state.tick();
    parts.own_state.on(parts.store<after_write::PeerStateStored>());
    CHECK(parts.said_now()->yours == first);
    // Two states of one number: a copy of the peer runs, which the peer finds out when it is shown the first.
    const SignedBytes second = say(3, 51);
    const auto sent = parts.take_sent<StateMessage>();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].yours == first);
    parts.own_state.tick();
    CHECK(parts.take<Persist>().empty());
    CHECK(parts.said_now()->yours == first);
}

TEST_CASE("an older statement of this very start confirms our state") {
    HistoryStarted parts;
    const PutStart second = parts.own_state.next();
    parts.own_state.stored_with(second);
    CHECK_FALSE(parts.own_state.is_confirmed());
    CHECK(parts.show(parts.first) == OwnState::Finding::nothing_new);
    CHECK(parts.own_state.is_confirmed());
}

TEST_CASE(
    "an old copy stores what it heard and that it is restored, and goes on above that and its own number") {
    HistoryStarted parts;
    SUBCASE("others have seen more") {
        CHECK(parts.show(parts.seen(7, 9)) == OwnState::Finding::old_copy);
        CHECK(history_find_start(parts.asked_at_once(), false)->number == 8);
    }
    SUBCASE("others have seen less, but of a start that is unknown here") {
        for (int i = 0; i < 4; ++i)
            static_cast<void>(parts.own_state.next());
        CHECK(parts.show(parts.seen(2, 9)) == OwnState::Finding::old_copy);
        const auto ops = parts.asked_at_once();
        CHECK(history_find<SetRestored>(ops));
        const auto* heard = history_find_start(ops, true);
        REQUIRE(heard);
        CHECK(heard->start == history_start(9));
        CHECK(heard->number == 2);
        const auto* own = history_find_start(ops, false);
        REQUIRE(own);
        CHECK(own->number == 6);
        CHECK(own->previous == history_start(9));
        CHECK(own->start != parts.ours);
    }
}

TEST_CASE(
    "an old copy states nothing before its new start is durable, and only that start can be confirmed") {
    HistoryStarted parts;
    const PutStart of_earlier_start = parts.own_state.next();
    REQUIRE(parts.show(parts.first) == OwnState::Finding::nothing_new);
    REQUIRE(parts.own_state.is_confirmed());
    // The other peer has confirmed nothing, so this start may well be older than ours.
    REQUIRE(parts.show(parts.seen(7, 9), true) == OwnState::Finding::old_copy);
    const auto begun = parts.store<after_write::StateStored>();
    CHECK_FALSE(parts.said_now());
    parts.own_state.stored_with(of_earlier_start);
    CHECK_FALSE(parts.said_now());
    parts.own_state.on(begun);
    const auto said = parts.said_now();
    REQUIRE(said);
    CHECK(said->restored);
    CHECK(verify_state(parts.self.id(), parts.network(), said->own)->number == 8);

    SUBCASE("the earlier start was confirmed, which says nothing of this one") {
        parts.own_state.clear_restored();
        CHECK_FALSE(parts.own_state.is_confirmed());
    }
    SUBCASE("this start is confirmed, which counts once others have told what is missing") {
        CHECK(parts.show(said->own) == OwnState::Finding::nothing_new);
        CHECK_FALSE(parts.own_state.is_confirmed());
        parts.context.effects.clear();
        parts.own_state.clear_restored();
        CHECK(parts.own_state.is_confirmed());
        const auto told = parts.take_sent<StateMessage>();
        REQUIRE(told.size() == 2);
        CHECK_FALSE(told[0].restored);
        CHECK_FALSE(told[1].restored);
    }
}

TEST_CASE("a start that follows ours, or that a peer shows which kept ours, is a second copy") {
    HistoryStarted parts;
    SUBCASE("it names ours as the one before") {
        CHECK(parts.show(parts.seen(2, 9, parts.ours)) == OwnState::Finding::second_copy);
    }
    SUBCASE("the peer has kept ours before") {
        REQUIRE(parts.show(parts.first) == OwnState::Finding::nothing_new);
        CHECK(parts.show(parts.seen(2, 9, history_start(8))) == OwnState::Finding::second_copy);
        CHECK_FALSE(parts.own_state.is_confirmed());
    }
    CHECK(parts.own_state.is_copied());
    CHECK(parts.own_state.was_restored());
    CHECK_FALSE(parts.own_state.is_restored());
    const auto ops = parts.asked_at_once();
    const auto* heard = history_find_start(ops, true);
    REQUIRE(heard);
    CHECK(heard->start == history_start(9));
    const auto* copied = history_find<PutCopied>(ops);
    REQUIRE(copied);
    CHECK(copied->copied);
}

TEST_CASE("while copied nothing further is found, and the claim goes on above all that was seen") {
    HistoryStarted parts;
    REQUIRE(parts.show(parts.seen(2, 9, parts.ours)) == OwnState::Finding::second_copy);
    static_cast<void>(parts.store<after_write::Nothing>());
    CHECK(parts.show(parts.seen(20, 10, history_start(9))) == OwnState::Finding::nothing_new);
    CHECK(parts.show(parts.seen(21, 11, parts.ours), true) == OwnState::Finding::nothing_new);
    CHECK(parts.context.effects.empty());
    parts.own_state.claim();
    CHECK_FALSE(parts.own_state.is_copied());
    CHECK_FALSE(parts.own_state.is_restored());
    // Its list of holders says so for ever.
    CHECK(parts.own_state.was_restored());
    const auto asked = parts.take<Persist>();
    REQUIRE_FALSE(asked.empty());
    const auto* decided = history_find<PutCopied>(asked[0].ops);
    REQUIRE(decided);
    CHECK_FALSE(decided->copied);
    const auto* own = history_find_start(asked[0].ops, false);
    REQUIRE(own);
    CHECK(own->number == 22);
    CHECK(own->previous == history_start(11));
}
