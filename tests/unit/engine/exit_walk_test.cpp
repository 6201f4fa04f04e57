#include "protocol/engine/comparison/exit_walk.hpp"

#include <algorithm>
#include <iterator>
#include <random>

#include <doctest/doctest.h>
#include <sodium.h>

using namespace unlearn::protocol;

namespace {

ExitedId random_id(std::mt19937& random) {
    ExitedId id;
    for (auto& byte : id.value)
        byte = static_cast<std::uint8_t>(random());
    return id;
}

/// An id that shares all but its last half-bytes with others, as somebody who grinds keys can make.
ExitedId close_id(std::mt19937& random) {
    ExitedId id;
    id.value.fill(0xaa);
    id.value[31] = static_cast<std::uint8_t>(random());
    id.value[30] = static_cast<std::uint8_t>(random() % 4);
    return id;
}

ExitSet set_of(const std::vector<ExitedId>& ids) {
    ExitSet set;
    for (const auto& id : ids)
        set.insert(id);
    return set;
}

/// One side that looks for what another one knows.
struct Search {
    ExitSet here;
    ExitSet there;
    DigestSalt salt{{7}};
    std::vector<ExitedId> owners;
    std::size_t room = SIZE_MAX;
    ExitedId cursor;
    std::vector<ExitedId> wanted;
    std::size_t rounds = 0;
    std::size_t ranges = 0;

    [[nodiscard]] ExitWalk begin() const { return ExitWalk(owners, there.size(), room, cursor); }
    [[nodiscard]] bool knows(const ExitedId& id) const { return here.contains(id); }
    [[nodiscard]] ExitAnswer honest(const ExitQuery& query) const {
        ExitAnswer answer{query.number, there.size(), fingerprint_of(salt, there.digest()), {}};
        for (const auto& range : query.ranges)
            answer.ranges.push_back(there.answer(salt, range));
        return answer;
    }
    /// Asks until there is nothing left to ask. @return whether every answer was accepted
    bool run(ExitWalk& walk, const std::function<ExitAnswer(const ExitQuery&)>& answer) {
        ExitQuery query{salt, 0, {}, {}, {}};
        while (walk.ask(query)) {
            const auto asked = decode(encode({1, query}));
            REQUIRE(asked);
            const auto heard = decode(encode({1, answer(std::get<ExitQuery>(asked->message))}));
            if (!heard) return false;
            ++rounds;
            ranges += query.ranges.size();
            wanted.insert(wanted.end(), query.wanted.begin(), query.wanted.end());
            REQUIRE(walk.open_ranges() <= kMaxOpenRanges + owners.size());
            if (!walk.take(std::get<ExitAnswer>(heard->message), salt, here,
                           [this](const ExitedId& id) { return knows(id); }))
                return false;
        }
        std::sort(wanted.begin(), wanted.end());
        return true;
    }
    ExitWalk run() {
        ExitWalk walk = begin();
        REQUIRE(run(walk, [this](const ExitQuery& query) { return honest(query); }));
        return walk;
    }
};

std::vector<ExitedId> only_in(const ExitSet& a, const ExitSet& b) {
    const auto in_a = a.ids();
    const auto in_b = b.ids();
    std::vector<ExitedId> out;
    std::set_difference(in_a.begin(), in_a.end(), in_b.begin(), in_b.end(), std::back_inserter(out));
    return out;
}

}  // namespace

TEST_CASE("a search finds exactly what is known there and unknown here") {
    std::mt19937 random(1);
    for (int round = 0; round < 60; ++round) {
        Search search;
        const bool close = round % 3 == 2;
        const std::size_t common = random() % (close ? 200 : 3000);
        const std::size_t more = random() % (round % 2 == 0 ? 5 : 400);
        for (std::size_t i = 0; i < common + 2 * more; ++i) {
            const ExitedId id = close ? close_id(random) : random_id(random);
            if (i < common + more) search.here.insert(id);
            if (i < common || i >= common + more) search.there.insert(id);
        }
        const ExitWalk walk = search.run();
        CHECK(search.wanted == only_in(search.there, search.here));
        CHECK(walk.complete());
        CHECK(walk.owners_settled());
    }
}

TEST_CASE("the digest of a range depends on the ids in it alone, and a set that differs has another") {
    std::mt19937 random(2);
    std::vector<ExitedId> ids;
    for (int i = 0; i < 3000; ++i)
        ids.push_back(i % 4 == 0 ? close_id(random) : random_id(random));
    const ExitSet set = set_of(ids);
    std::shuffle(ids.begin(), ids.end(), random);
    ExitSet other;
    for (const auto& id : ids) {
        other.insert(id);
        static_cast<void>(other.digest());
    }
    CHECK(set.digest() == other.digest());
    CHECK(set.size() == other.size());
    CHECK_FALSE(other.insert(ids[0]));
    for (const std::uint8_t digits : {0, 1, 2, 3, 4, 30, 61, 62, 64}) {
        const auto range = IdRange::around(ids[7], digits);
        std::vector<ExitedId> inside;
        for (const auto& id : ids)
            if (range.contains(id)) inside.push_back(id);
        CHECK(set.digest(range) == other.digest(range));
        // The answer about a range is that of a set with nothing outside of it.
        const auto answer = set.answer({}, range);
        const auto alone = set_of(inside).answer({}, range);
        CHECK(answer.ids == alone.ids);
        CHECK(answer.parts == alone.parts);
        CHECK(answer.occupied == alone.occupied);
        CHECK(answer.ids.size() + answer.parts.size() > 0);
    }
    const auto before = other.digest();
    other.insert(random_id(random));
    CHECK(other.digest() != before);
}

TEST_CASE("the digest is what wire.md says") {
    std::mt19937 random(3);
    ExitSet set;
    CHECK(set.digest() == RangeDigest{});
    std::vector<ExitedId> ids;
    for (std::uint8_t digit = 0; digit < 9; ++digit) {
        ExitedId id = random_id(random);
        id.value[0] = static_cast<std::uint8_t>(digit << 4);
        ids.push_back(id);
    }
    const auto hash = [](const Bytes& bytes) {
        RangeDigest out;
        crypto_generichash(out.value.data(), 32, bytes.data(), bytes.size(), nullptr, 0);
        return out;
    };
    const auto leaf = [&](std::size_t begin, std::size_t end) {
        Bytes bytes{0};
        for (std::size_t i = begin; i < end; ++i)
            bytes.insert(bytes.end(), ids[i].value.begin(), ids[i].value.end());
        return hash(bytes);
    };
    for (std::size_t i = 0; i < 8; ++i)
        set.insert(ids[i]);
    CHECK(set.digest() == leaf(0, 8));
    set.insert(ids[8]);
    Bytes parts{1};
    for (std::size_t digit = 0; digit < 16; ++digit) {
        const RangeDigest part = digit < 9 ? leaf(digit, digit + 1) : RangeDigest{};
        parts.insert(parts.end(), part.value.begin(), part.value.end());
    }
    CHECK(set.digest() == hash(parts));
}

TEST_CASE("known owners are settled first, and cheaply, however many strangers differ") {
    std::mt19937 random(4);
    Search search;
    for (int i = 0; i < 20'000; ++i)
        search.there.insert(random_id(random));
    for (int i = 0; i < 50; ++i)
        search.owners.push_back(random_id(random));
    std::sort(search.owners.begin(), search.owners.end());
    const std::set<ExitedId> gone{search.owners[3], search.owners[40]};
    for (const auto& owner : gone)
        search.there.insert(owner);
    search.room = 0;
    const ExitWalk walk = search.run();
    CHECK(walk.owners_settled());
    CHECK(walk.owners_gone() == gone);
    CHECK(search.wanted == std::vector<ExitedId>(gone.begin(), gone.end()));
    CHECK_FALSE(walk.complete());
    CHECK(walk.strangers().size() > 0);
    CHECK(search.ranges < 300);
}

TEST_CASE("no more strangers are asked for than there is room for, and the next search goes on behind them") {
    std::mt19937 random(5);
    Search search;
    for (int i = 0; i < 5'000; ++i)
        search.there.insert(random_id(random));
    search.room = 70;
    std::set<ExitedId> all;
    for (int i = 0; i < 20; ++i) {
        search.wanted.clear();
        const ExitWalk walk = search.run();
        CHECK_FALSE(walk.complete());
        CHECK(search.wanted.size() == 70);
        all.insert(search.wanted.begin(), search.wanted.end());
        search.cursor = walk.cursor();
    }
    // Nothing was taken, and hardly any id was asked for twice.
    CHECK(all.size() > 20 * 65);
    // A search that is stopped goes on later, too.
    search.wanted.clear();
    ExitWalk walk = search.begin();
    ExitQuery query{search.salt, 0, {}, {}, {}};
    REQUIRE(walk.ask(query));
    REQUIRE(walk.take(search.honest(query), search.salt, search.here, [](const ExitedId&) { return false; }));
    walk.stop_looking();
    CHECK_FALSE(walk.complete());
    CHECK_FALSE(walk.ask(query));
}

TEST_CASE("what is known here but not durable is not asked for") {
    std::mt19937 random(6);
    Search search;
    const ExitedId id = random_id(random);
    search.there.insert(id);
    ExitWalk walk = search.begin();
    ExitQuery query{search.salt, 0, {}, {}, {}};
    REQUIRE(walk.ask(query));
    REQUIRE(walk.take(search.honest(query), search.salt, search.here, [](const ExitedId&) { return true; }));
    CHECK_FALSE(walk.ask(query));
    CHECK(walk.complete());
    CHECK(walk.strangers().empty());
}

TEST_CASE("a neighbour that always claims more ends the search, and costs no more memory than the limit") {
    Search search;
    const auto parts = [](const ExitQuery& query) {
        ExitAnswer answer{query.number, 1'000'000, {}, {}};
        for (const auto& range : query.ranges) {
            RangeAnswer& more = answer.ranges.emplace_back();
            if (range.digits == kIdDigits) {
                more.ids.push_back(range.first);
                continue;
            }
            more.occupied = 0xffff;
            more.parts.resize(kRangeParts, RangeFingerprint{{1}});
        }
        return answer;
    };
    SUBCASE("among strangers") {
        ExitWalk walk = search.begin();
        CHECK(search.run(walk, parts));
        CHECK_FALSE(walk.complete());
        CHECK(search.rounds <= kMaxWalkRounds);
    }
    SUBCASE("around known owners") {
        std::mt19937 random(7);
        for (int i = 0; i < 100; ++i)
            search.owners.push_back(random_id(random));
        std::sort(search.owners.begin(), search.owners.end());
        search.room = 0;
        ExitWalk walk = search.begin();
        CHECK(search.run(walk, parts));
        CHECK(search.ranges < 100 * kIdDigits + 2 * kMaxOpenRanges);
    }
    SUBCASE("with ids that it makes up") {
        std::mt19937 random(8);
        ExitWalk walk = search.begin();
        CHECK(search.run(walk, [&](const ExitQuery& query) {
            ExitAnswer answer{query.number, 1'000'000, {}, {}};
            for (const auto& range : query.ranges) {
                RangeAnswer& more = answer.ranges.emplace_back();
                if (range.digits < 6) {
                    more.occupied = 0xffff;
                    more.parts.resize(kRangeParts, RangeFingerprint{{1}});
                    continue;
                }
                for (std::uint8_t digit = 0; digit < kMaxListedIds; ++digit)
                    more.ids.push_back(range.part(digit).first);
            }
            return answer;
        }));
        CHECK(search.rounds <= kMaxWalkRounds);
        CHECK(walk.strangers().size() == kMaxStrangersNoted);
    }
}

TEST_CASE("a wrong answer breaks the protocol") {
    std::mt19937 random(9);
    Search search;
    for (int i = 0; i < 100; ++i)
        search.there.insert(random_id(random));
    ExitWalk walk = search.begin();
    ExitQuery query{search.salt, 0, {}, {}, {}};
    const auto take = [&](const ExitAnswer& answer) {
        return walk.take(answer, search.salt, search.here, [](const ExitedId&) { return false; });
    };
    REQUIRE(walk.ask(query));
    SUBCASE("too few ranges") {
        CHECK_FALSE(take(ExitAnswer{}));
    }
    SUBCASE("a range twice") {
        auto answer = search.honest(query);
        answer.ranges.push_back(answer.ranges[0]);
        CHECK_FALSE(take(answer));
    }
    SUBCASE("an answer twice") {
        REQUIRE(take(search.honest(query)));
        CHECK_FALSE(take(search.honest(query)));
    }
    SUBCASE("ids outside of their range") {
        REQUIRE(take(search.honest(query)));
        REQUIRE(walk.ask(query));
        auto answer = search.honest(query);
        std::swap(answer.ranges.front(), answer.ranges.back());
        CHECK_FALSE(take(answer));
    }
    SUBCASE("parts of a single id") {
        const ExitedId id = random_id(random);
        const auto lie = [](const ExitQuery& asked) {
            ExitAnswer answer{asked.number, UINT64_MAX, {}, {}};
            for (std::size_t i = 0; i < asked.ranges.size(); ++i)
                answer.ranges.push_back({{}, 0xffff, std::vector<RangeFingerprint>(16, {{1}})});
            return answer;
        };
        search.owners = {id};
        ExitWalk other = search.begin();
        CHECK_FALSE(search.run(other, lie));
        CHECK(search.rounds <= kIdDigits + 1);
    }
}

TEST_CASE("queries with ranges that overlap, repeat or go back are malformed, and so are answers that do") {
    std::mt19937 random(10);
    const ExitedId a{{0x10}};
    const ExitedId b{{0x20}};
    const auto refused = [](const Message& message) { return !decode(encode({1, message})).has_value(); };
    const auto asks = [](std::vector<IdRange> ranges) { return ExitQuery{{}, 0, {}, std::move(ranges), {}}; };
    CHECK_FALSE(refused(asks({IdRange::around(a, 1), IdRange::around(b, 64)})));
    CHECK(refused(asks({IdRange::around(b, 1), IdRange::around(a, 1)})));
    CHECK(refused(asks({IdRange::around(a, 1), IdRange::around(a, 1)})));
    CHECK(refused(asks({IdRange::around(a, 1), IdRange::around(a, 2)})));
    CHECK(refused(asks({IdRange{}, IdRange::around(b, 2)})));
    CHECK(refused(asks({IdRange{ExitedId{{0x12}}, 1}})));
    CHECK(refused(asks({IdRange{a, 65}})));
    std::vector<IdRange> many;
    for (std::uint8_t i = 0; i <= kMaxRangesAsked; ++i)
        many.push_back(IdRange::around(ExitedId{{i}}, 2));
    CHECK(refused(asks(many)));
    many.pop_back();
    CHECK_FALSE(refused(asks(many)));

    const auto answers = [](RangeAnswer range) { return ExitAnswer{0, 0, {}, {std::move(range)}}; };
    CHECK_FALSE(refused(answers({{a, b}, 0, {}})));
    CHECK(refused(answers({{b, a}, 0, {}})));
    CHECK(refused(answers({{a, a}, 0, {}})));
    CHECK(refused(answers({std::vector<ExitedId>(kMaxListedIds + 1), 0, {}})));
    CHECK(refused(answers({{}, 3, {RangeFingerprint{}}})));
    CHECK_FALSE(refused(answers({{}, 3, {RangeFingerprint{}, RangeFingerprint{}}})));
}

TEST_CASE("the largest query and its largest answer fit into a body") {
    ExitQuery query;
    ExitAnswer answer{UINT64_MAX, UINT64_MAX, {}, {}};
    for (std::uint8_t i = 0; i < kMaxRangesAsked; ++i) {
        query.ranges.push_back(IdRange::around(ExitedId{{i}}, 64));
        answer.ranges.push_back({{}, 0xffff, std::vector<RangeFingerprint>(16)});
    }
    query.wanted.resize(kMaxNoticesAsked);
    CHECK(decode(encode({1, query})).has_value());
    CHECK(decode(encode({1, answer})).has_value());
}
