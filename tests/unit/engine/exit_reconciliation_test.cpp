#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

/// A node and a neighbour of version 2, for which the test answers.
struct ReconcilingPair {
    Parts here;
    ExitSet there;
    Session& session = here.connect(here.peer, 1);

    [[nodiscard]] std::optional<ExitQuery> query() {
        const auto sent = here.take_sent<ExitQuery>();
        REQUIRE(sent.size() <= 1);
        if (sent.empty()) return std::nullopt;
        return sent[0];
    }
    [[nodiscard]] std::optional<ExitQuery> begin() {
        here.context.effects.clear();
        here.comparison.begin(1, session);
        return query();
    }
    [[nodiscard]] ExitAnswer answer_to(const ExitQuery& asked) const {
        ExitAnswer answer{asked.number, there.size(), fingerprint_of(asked.salt, there.digest()), {}};
        for (const auto& range : asked.ranges)
            answer.ranges.push_back(there.answer(asked.salt, range));
        return answer;
    }
    /// Answers until nothing more is asked. @return the number of queries
    std::size_t compare() {
        std::size_t queries = 0;
        for (auto asked = begin(); asked; asked = query(), ++queries)
            REQUIRE(here.comparison.take_answer(1, session, answer_to(*asked)));
        return queries;
    }
    void knows_there(std::uint32_t first, std::uint32_t count) {
        for (std::uint32_t i = first; i < first + count; ++i)
            there.insert(ExitedId{stranger(i).id().bytes()});
    }
    void restored() {
        LoadedState state;
        state.restored = true;
        state.last_own_version = SeedVersion{1};
        here.own_state.load(state);
        here.comparison.start();
    }
};

}  // namespace

TEST_CASE("a neighbour with the same exits vouches after one query") {
    ReconcilingPair pair;
    pair.here.connect(pair.here.other, 2);
    pair.restored();
    CHECK(pair.here.comparison.keeps_out(pair.here.other.id()));
    CHECK(pair.compare() == 1);
    CHECK(pair.here.context.counters.comparisons == 1);
    CHECK_FALSE(pair.here.comparison.keeps_out(pair.here.other.id()));
    CHECK(pair.here.comparison.keeps_out(pair.here.peer.id()));  // not by its own word
}

TEST_CASE(
    "strangers' exits that are unknown here do not keep a neighbour from vouching, a known owner's do") {
    ReconcilingPair pair;
    pair.here.connect(pair.here.other, 2);
    pair.restored();
    pair.knows_there(100, 500);
    SUBCASE("strangers alone") {
        pair.compare();
        CHECK_FALSE(pair.here.comparison.keeps_out(pair.here.other.id()));
    }
    SUBCASE("a known owner, too") {
        pair.there.insert(ExitedId{pair.here.other.id().bytes()});
        pair.compare();
        CHECK(pair.here.comparison.keeps_out(pair.here.other.id()));
        // Its notice comes, and now nothing is unknown here that matters.
        pair.here.learn_exit_of(pair.here.other);
        pair.here.context.effects.clear();
        pair.here.pass(kCompareInterval);
        pair.compare();
        CHECK_FALSE(pair.here.comparison.keeps_out(pair.here.other.id()));
    }
}

TEST_CASE("nobody is vouched for who became known while the search was under way") {
    ReconcilingPair pair;
    pair.restored();
    pair.knows_there(100, 500);
    auto asked = pair.begin();
    REQUIRE(asked);
    REQUIRE(pair.here.comparison.take_answer(1, pair.session, pair.answer_to(*asked)));
    asked = pair.query();
    REQUIRE(asked);
    const Identity late = stranger(100);
    pair.here.peers.add(late.id(), "tcp://10.0.0.1:1", PeerSource::added);
    for (; asked; asked = pair.query())
        REQUIRE(pair.here.comparison.take_answer(1, pair.session, pair.answer_to(*asked)));
    CHECK(pair.here.comparison.keeps_out(late.id()));
    CHECK_FALSE(pair.here.comparison.keeps_out(pair.here.other.id()));
    // The next comparison asks about the late one as well, and its exit is known there.
    pair.compare();
    CHECK(pair.here.comparison.keeps_out(late.id()));
}

TEST_CASE("what was found out is not asked for again while nothing changes there") {
    ReconcilingPair pair;
    pair.knows_there(100, 500);
    const std::size_t first = pair.compare();
    CHECK(first > 5);
    // The hundred strangers of today were asked for and did not come; it looks for them once more.
    for (std::uint32_t i = 100; i < 600; ++i)
        if (i < 200)
            static_cast<void>(pair.here.sessions.allowances_of(pair.here.peer.id())
                                  .introductions.take(1, pair.here.context.now.steady));
    CHECK(pair.compare() == 1);
    CHECK(pair.compare() == 1);
    // One exit more there.
    pair.knows_there(700, 1);
    CHECK(pair.compare() > 1);
    CHECK(pair.compare() == 1);
    // A day later there is room for a hundred more.
    pair.here.pass(std::chrono::hours(24));
    CHECK(pair.compare() > 5);
}

TEST_CASE("answers that nobody asked for are ignored or break the protocol") {
    ReconcilingPair pair;
    pair.knows_there(100, 20);
    ExitAnswer answer{1, 0, {}, {}};
    REQUIRE(pair.here.comparison.take_answer(1, pair.session, answer));
    CHECK(pair.here.context.counters.messages_ignored == 1);
    const auto asked = pair.begin();
    REQUIRE(asked);
    answer = pair.answer_to(*asked);
    ++answer.number;
    REQUIRE(pair.here.comparison.take_answer(1, pair.session, answer));
    CHECK(pair.here.context.counters.messages_ignored == 2);
    answer = pair.answer_to(*asked);
    answer.ranges.emplace_back();
    CHECK_FALSE(pair.here.comparison.take_answer(1, pair.session, answer));
}

TEST_CASE("a query is answered, and begins a comparison when something differs, at most now and then") {
    ReconcilingPair pair;
    pair.here.learn_exit_of(pair.here.other);
    pair.here.exits.on(pair.here.store<after_write::TombstoneStored>());
    pair.here.context.effects.clear();
    const ExitedId known{pair.here.other.id().bytes()};
    ExitQuery query{{{3}}, 9, {}, {IdRange{}}, {known}};
    pair.here.comparison.take_query(1, pair.session, query);
    const auto effects = pair.here.context.effects;
    CHECK(pair.here.take_sent<Exit>().size() == 1);
    pair.here.context.effects = effects;
    const auto answers = pair.here.take_sent<ExitAnswer>();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].number == 9);
    CHECK(answers[0].ranges.at(0).ids == std::vector{known});
    pair.here.context.effects = effects;
    CHECK(pair.here.take_sent<ExitQuery>().size() == 1);
    // The notice goes before the answer.
    CHECK(std::holds_alternative<Send>(effects.at(0)));
    CHECK(std::get<Send>(effects[0]).lane == Lane::urgent);
    pair.here.comparison.take_query(1, pair.session, query);
    CHECK(pair.here.take_sent<ExitQuery>().empty());
    // Without an answer, another comparison may begin after a while.
    pair.here.pass(kCompareStall);
    query.all = fingerprint_of(query.salt, pair.here.comparison.exits().digest());
    pair.here.comparison.take_query(1, pair.session, query);
    CHECK(pair.here.take_sent<ExitQuery>().empty());
    query.all = {};
    pair.here.comparison.take_query(1, pair.session, query);
    CHECK(pair.here.take_sent<ExitQuery>().size() == 1);
}

TEST_CASE("a neighbour that claims something else every time is asked only so much") {
    ReconcilingPair pair;
    pair.here.connect(pair.here.other, 2);
    std::uint8_t changes = 0;
    const auto lie = [&](const ExitQuery& asked) {
        ExitAnswer answer{asked.number, 1'000'000, {{++changes}}, {}};
        for (const auto& range : asked.ranges) {
            if (range.digits == kIdDigits)
                answer.ranges.push_back({{range.first}, 0, {}});
            else
                answer.ranges.push_back({{}, 0xffff, std::vector<RangeFingerprint>(kRangeParts, {{1}})});
        }
        return answer;
    };
    const auto asked_in = [&](std::chrono::seconds time) {
        std::size_t ranges = 0;
        for (auto passed = std::chrono::milliseconds{0}; passed < time; passed += kTickInterval) {
            pair.here.pass(kTickInterval);
            pair.here.context.effects.clear();
            pair.here.comparison.tick();
            for (auto sent = pair.here.take<Send>(); !sent.empty(); sent = pair.here.take<Send>()) {
                for (const auto& send : sent) {
                    const auto envelope = decode(send.frames);
                    REQUIRE(envelope);
                    const auto* query = std::get_if<ExitQuery>(&envelope->message);
                    if (query == nullptr || send.session != 1) continue;
                    ranges += query->ranges.size() + query->wanted.size() + 1;
                    REQUIRE(pair.here.comparison.take_answer(1, pair.session, lie(*query)));
                }
            }
        }
        return ranges;
    };
    CHECK(asked_in(std::chrono::minutes(20)) > kExitSearchBurst / 4);
    // In the long run it costs no more than what may bring nothing.
    CHECK(asked_in(std::chrono::hours(1)) < 3'600 * kExitSearchesPerSecond * 1.1);
    CHECK(pair.here.context.counters.peers_dropped == 0);
}
