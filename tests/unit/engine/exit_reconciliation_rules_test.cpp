#include <doctest/doctest.h>

#include "parts.hpp"
#include "protocol/exit_ranges.hpp"

using namespace unlearn::testing;

namespace {

/// An id that only its first two bytes make out.
ExitedId rules_id(std::size_t first, std::size_t second = 0) {
    return {{static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(second)}};
}

/// A node after the restore of a backup, and a neighbour of version 2 for which the test answers.
struct RulesPair {
    Parts here;
    ExitSet there;
    Session& session = here.connect(here.peer, 1);

    RulesPair() {
        LoadedState state;
        state.restored = true;
        state.last_own_version = SeedVersion{1};
        here.own_state.load(state);
        here.comparison.start();
        here.context.effects.clear();
    }
    /// Loads exits that are known here, each with a notice and a list of holders of so many bytes.
    void know_here(std::size_t count, std::size_t notice_bytes, std::size_t list_bytes) {
        LoadedState state;
        for (std::size_t i = 0; i < count; ++i) {
            const auto owner = *NodeId::from_checked_bytes(rules_id(i).value);
            state.tombstones.push_back({owner, {Bytes(notice_bytes), {}}, {}});
            state.peer_lists.push_back({owner, {Bytes(list_bytes), {}}});
        }
        here.exits.load(state);
    }
    void knows_there(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            there.insert(rules_id(i % 256, i / 256));
    }
    [[nodiscard]] Allowances& allowances() { return here.sessions.allowances_of(here.peer.id()); }
    /// Takes from an allowance until `left` is left.
    void leave(Allowance& allowance, double left) {
        const SteadyTime now = here.context.now.steady;
        REQUIRE(allowance.take(allowance.left(now) - left, now));
    }
    [[nodiscard]] std::optional<ExitQuery> query() {
        const auto sent = here.take_sent<ExitQuery>();
        REQUIRE(sent.size() <= 1);
        return sent.empty() ? std::nullopt : std::optional{sent[0]};
    }
    [[nodiscard]] std::optional<ExitQuery> begin() {
        here.context.effects.clear();
        here.comparison.begin(1, session);
        return query();
    }
    void answer(const ExitQuery& asked) {
        ExitAnswer answer{asked.number, there.size(), fingerprint_of(asked.salt, there.digest()), {}};
        for (const auto& range : asked.ranges)
            answer.ranges.push_back(there.answer(asked.salt, range));
        REQUIRE(here.comparison.take_answer(1, session, answer));
    }
    /// Answers until nothing more is asked. @return all queries
    std::vector<ExitQuery> compare() {
        std::vector<ExitQuery> queries;
        for (auto asked = begin(); asked; asked = query()) {
            answer(*asked);
            queries.push_back(*asked);
        }
        return queries;
    }
    [[nodiscard]] static std::set<ExitedId> wanted_in(const std::vector<ExitQuery>& queries) {
        std::set<ExitedId> wanted;
        for (const auto& query : queries)
            wanted.insert(query.wanted.begin(), query.wanted.end());
        return wanted;
    }
    void learn(const ExitedId& id) {
        const auto owner = *NodeId::from_checked_bytes(id.value);
        here.exits.learn(ExitNotice{owner, {}, {}}, {Bytes(id.value.begin(), id.value.end()), {}}, {});
    }
};

/// One search, for which the test speaks as the neighbour.
struct RulesWalk {
    ExitSet here;
    ExitSet there;
    ExitWalk walk;
    ExitQuery query{};

    explicit RulesWalk(std::vector<ExitedId> owners = {}, std::size_t room = SIZE_MAX)
        : walk(std::move(owners), 1, room, {}) {}
    /// Asks the next query. @return false when there is none
    [[nodiscard]] bool ask() { return walk.ask(query); }
    void answer() {
        ExitAnswer answer;
        for (const auto& range : query.ranges)
            answer.ranges.push_back(there.answer(query.salt, range));
        take(answer);
    }
    void take(const ExitAnswer& answer) {
        REQUIRE(
            walk.take(answer, query.salt, here, [this](const ExitedId& id) { return here.contains(id); }));
    }
};

/// 256 ids, one for each first byte: sixteen parts of sixteen.
ExitSet one_for_each_byte() {
    ExitSet set;
    for (std::size_t first = 0; first < 256; ++first)
        set.insert(rules_id(first));
    return set;
}

}  // namespace

// ---------------------------------------------------------------- what may be asked

TEST_CASE("a query for which the limit of questions leaves no room is sent at the first tick that does") {
    RulesPair pair;
    pair.leave(pair.allowances().exit_questions, 1.5);
    CHECK(pair.begin());
    pair.here.comparison.doubt();
    CHECK_FALSE(pair.query());
    pair.here.comparison.tick();
    CHECK_FALSE(pair.query());
    pair.here.pass(std::chrono::milliseconds(1));
    pair.here.comparison.tick();
    CHECK(pair.query());
}

TEST_CASE("each new exit gives back what finding it may have cost") {
    RulesPair pair;
    pair.knows_there(1);
    auto asked = pair.begin();
    for (; asked && asked->wanted.empty(); asked = pair.query())
        pair.answer(*asked);
    REQUIRE(asked);
    pair.leave(pair.allowances().exit_searches, 0);
    pair.learn(rules_id(0));
    pair.answer(*asked);
    CHECK(pair.allowances().exit_searches.left(pair.here.context.now.steady) == kExitSearchPerNewExit);
    CHECK(pair.begin());
}

TEST_CASE("each neighbour is asked with another salt") {
    RulesPair pair;
    Session& other = pair.here.connect(pair.here.other, 2);
    const auto first = pair.begin();
    pair.here.comparison.begin(2, other);
    const auto second = pair.query();
    REQUIRE((first && second));
    CHECK(first->salt != second->salt);
}

// ---------------------------------------------------------------- what was found out

TEST_CASE("a search for exits of strangers goes on where the last one stopped") {
    RulesPair pair;
    pair.knows_there(300);
    pair.leave(pair.allowances().introductions, 20);
    auto wanted = RulesPair::wanted_in(pair.compare());
    CHECK(wanted.size() == 20);
    wanted.merge(RulesPair::wanted_in(pair.compare()));
    CHECK(wanted.size() > 30);
}

TEST_CASE("what was found out does not count for an owner that became known since") {
    RulesPair pair;
    const NodeId late = stranger(50).id();
    pair.there.insert({late.bytes()});
    pair.leave(pair.allowances().introductions, 0);
    pair.compare();
    pair.here.peers.add(late, std::nullopt, PeerSource::added);
    pair.compare();
    CHECK(pair.here.comparison.keeps_out(late));
}

TEST_CASE("a neighbour that knows exits of strangers that never come does not settle the doubt") {
    RulesPair pair;
    pair.here.context.config.network_key = stranger(9).id();  // so all are asked for
    pair.knows_there(20);
    CHECK(RulesPair::wanted_in(pair.compare()).size() == 20);
    CHECK(pair.here.own_state.is_restored());
    // What a network with a key has not taken once, it never takes, so nobody asks again.
    CHECK(pair.compare().size() == 1);
    CHECK(pair.here.own_state.is_restored());
    for (std::size_t i = 0; i < 20; ++i)
        pair.learn(rules_id(i));
    CHECK(pair.compare().size() == 1);
    CHECK_FALSE(pair.here.own_state.is_restored());
}

TEST_CASE("a neighbour that knows more exits of strangers than are noted does not settle the doubt") {
    RulesPair pair;
    pair.here.context.config.network_key = stranger(9).id();
    pair.knows_there(kMaxStrangersNoted + 20);
    pair.compare();
    // All that were noted become known: those that are found first. Then the others, too.
    const auto ids = pair.there.ids();
    for (std::size_t i = 0; i < kMaxStrangersNoted; ++i)
        pair.learn(ids[i]);
    pair.compare();
    CHECK(pair.here.own_state.is_restored());
    for (std::size_t i = kMaxStrangersNoted; i < ids.size(); ++i)
        pair.learn(ids[i]);
    pair.compare();
    CHECK_FALSE(pair.here.own_state.is_restored());
}

// ---------------------------------------------------------------- answering

TEST_CASE("the lists of holders that go with the notices have a limit in bytes") {
    RulesPair pair;
    pair.know_here(5, 10, 10'000);
    const ExitQuery query{{}, 1, {}, {}, {rules_id(0), rules_id(1), rules_id(2), rules_id(3), rules_id(4)}};
    pair.here.comparison.take_query(1, pair.session, query);
    const auto effects = pair.here.context.effects;
    CHECK(pair.here.take_sent<Exit>().size() == 5);
    pair.here.context.effects = effects;
    CHECK(pair.here.take_sent<Holders>().size() == kMaxListBytes / 10'000);
}

TEST_CASE("notices count by their bytes among what a neighbour is answered") {
    RulesPair pair;
    pair.know_here(1, 5'000, 10);
    pair.leave(pair.allowances().exit_answers, 10);
    ExitQuery query{{}, 1, {}, {}, {rules_id(0)}};
    pair.here.comparison.take_query(1, pair.session, query);
    CHECK(pair.here.take_sent<ExitAnswer>().size() == 1);
    query.wanted.clear();
    pair.here.comparison.take_query(1, pair.session, query);
    CHECK(pair.here.take_sent<ExitAnswer>().empty());
}

// ---------------------------------------------------------------- one search

TEST_CASE("an owner whose exit comes there after the owners were settled is no stranger") {
    RulesWalk search({rules_id(7)}, 0);
    REQUIRE(search.ask());
    search.answer();
    REQUIRE(search.walk.owners_settled());
    REQUIRE(search.ask());
    search.there.insert(rules_id(7));
    search.answer();
    CHECK(search.walk.owners_gone() == std::set{rules_id(7)});
    CHECK(search.walk.strangers().empty());
    REQUIRE(search.ask());
    CHECK(search.query.wanted == std::vector{rules_id(7)});
}

TEST_CASE("the next search begins at the first range that a stopped one did not ask for") {
    RulesWalk search;
    search.there = one_for_each_byte();
    for (int round = 0; round < 3; ++round) {
        REQUIRE(search.ask());
        search.answer();
    }
    CHECK(search.query.ranges.size() == kMaxRangesAsked);
    search.walk.stop_looking();
    CHECK(search.walk.cursor() == rules_id(kMaxRangesAsked));
}

TEST_CASE("while many notices are to be asked for, no more are looked for") {
    RulesWalk search;
    search.there = one_for_each_byte();
    for (int round = 0; round < 3; ++round) {
        REQUIRE(search.ask());
        search.answer();
    }
    REQUIRE(search.ask());
    CHECK(search.query.ranges.empty());
    CHECK(search.query.wanted.size() == kMaxNoticesAsked);
    search.answer();
    REQUIRE(search.ask());
    CHECK_FALSE(search.query.ranges.empty());
}

TEST_CASE("a search that had to leave out ranges is not complete") {
    RulesWalk search;
    bool full = false;
    while (search.ask()) {
        // The neighbour claims ever more, until there is no room for it, and then has nothing.
        RangeAnswer claim;
        if (!full) claim = {{}, 0xffff, std::vector<RangeFingerprint>(kRangeParts, {{1}})};
        search.take({0, 0, {}, std::vector<RangeAnswer>(search.query.ranges.size(), claim)});
        full |= search.walk.open_ranges() == kMaxOpenRanges;
    }
    CHECK(full);
    CHECK_FALSE(search.walk.complete());
}

TEST_CASE("a search is complete only after it has looked for strangers") {
    RulesWalk search;
    CHECK_FALSE(search.walk.complete());
    REQUIRE(search.ask());
    search.answer();
    CHECK(search.walk.complete());
}

// ---------------------------------------------------------------- the bytes of an answer

TEST_CASE("an answer about more ranges than can be asked for is malformed") {
    CHECK(answers_in(Bytes(kMaxRangesAsked)));
    CHECK_FALSE(answers_in(Bytes(kMaxRangesAsked + 1)));
}

TEST_CASE("an answer that announces fingerprints and has none is malformed") {
    CHECK_FALSE(answers_in(Bytes{255, 0, 0}));
}
