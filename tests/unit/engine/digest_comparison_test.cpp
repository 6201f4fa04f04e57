#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

constexpr std::uint64_t kAllBuckets = ~std::uint64_t{0};

/// The id of nobody in particular; a lower number comes first.
ExitedId digest_stranger(std::uint16_t number) {
    return {{static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)}};
}

/// A node that knows of `count` exits, and a neighbour of version 1 for which the test speaks.
struct DigestPair {
    Parts here;
    Session& session = here.connect(here.peer, 1);

    explicit DigestPair(std::uint16_t count = 0) {
        session.version = 1;
        LoadedState state;
        for (std::uint16_t i = 0; i < count; ++i) {
            const auto owner = *NodeId::from_checked_bytes(digest_stranger(i).value);
            state.tombstones.push_back({owner, {Bytes(owner.view().begin(), owner.view().end()), {}}, {}});
        }
        here.exits.load(state);
        here.context.effects.clear();
    }
    [[nodiscard]] Allowances& allowances() { return here.sessions.allowances_of(here.peer.id()); }
    void leave_introductions(double count) {
        REQUIRE(allowances().introductions.take(kMaxIntroductionsPerDay - count, here.context.now.steady));
    }
    [[nodiscard]] std::optional<DigestSalt> begin() {
        here.context.effects.clear();
        here.comparison.begin(1, session);
        const auto sent = here.take_sent<DigestMessage>();
        return sent.empty() ? std::nullopt : std::optional{sent.at(0).salt};
    }
    void answer(const DigestSalt& salt, std::vector<ExitedId> ids, bool last = true) {
        here.comparison.take_delta(1, session, {salt, DeltaPart::known, last, kAllBuckets, std::move(ids)});
    }
    /// The ids that were asked for since the last call.
    [[nodiscard]] std::vector<ExitedId> take_wanted() {
        std::vector<ExitedId> ids;
        for (const auto& delta : here.take_sent<Delta>())
            ids.insert(ids.end(), delta.ids.begin(), delta.ids.end());
        return ids;
    }
    /// The neighbour asks what differs. @return whether it was told
    [[nodiscard]] bool tells(const DigestSalt& salt) {
        here.comparison.take_digest(1, session, {salt, {}});
        return !here.take_sent<Delta>().empty();
    }
};

}  // namespace

TEST_CASE("a node with many exits answers digests less often") {
    DigestPair pair(1000);
    CHECK(pair.tells({}));
    pair.here.pass(kCompareAtMostEvery);
    CHECK_FALSE(pair.tells({}));
    pair.here.pass(std::chrono::milliseconds(5));
    CHECK(pair.tells({}));
}

TEST_CASE("notices cannot be asked for after a digest that was too much to answer") {
    DigestPair pair(1);
    REQUIRE(pair.allowances().delta_bytes.take(kDeltaByteBurst, pair.here.context.now.steady));
    CHECK_FALSE(pair.tells({}));
    pair.here.pass(std::chrono::seconds(1));
    pair.here.comparison.take_delta(1, pair.session, {{}, DeltaPart::wanted, true, 0, {digest_stranger(0)}});
    CHECK(pair.here.take_sent<Exit>().empty());
    CHECK(pair.here.context.counters.messages_ignored == 2);
}

TEST_CASE("a comparison brings at most a thousand notices, and they do not always begin with the same") {
    DigestPair pair(1200);
    const auto given = [&] {
        const auto salt = pair.begin();
        REQUIRE(salt);
        pair.answer(*salt, {});
        auto notices = pair.here.take_sent<Exit>();
        CHECK(notices.size() == kMaxNoticesPerComparison);
        return notices;
    };
    CHECK(given().at(0).notice != given().at(0).notice);
}

TEST_CASE("an answer to another comparison than the one under way is ignored") {
    DigestPair pair;
    const auto old = pair.begin();
    const auto now = pair.begin();
    REQUIRE((old && now));
    pair.answer(*old, {});
    CHECK(pair.here.context.counters.comparisons == 0);
    CHECK(pair.here.context.counters.messages_ignored == 1);
    pair.answer(*now, {});
    CHECK(pair.here.context.counters.comparisons == 1);
}

TEST_CASE("known owners are asked for first, and no more strangers than can be taken") {
    DigestPair pair;
    pair.here.peers.add(pair.here.other.id(), std::nullopt, PeerSource::config);
    const ExitedId known{pair.here.other.id().bytes()};
    pair.leave_introductions(2);
    const auto salt = pair.begin();
    REQUIRE(salt);
    pair.answer(*salt, {digest_stranger(1), digest_stranger(2), digest_stranger(3), known});
    CHECK(pair.take_wanted() == std::vector{known, digest_stranger(1), digest_stranger(2)});
}

TEST_CASE("a comparison asks for at most a thousand notices") {
    DigestPair pair;
    pair.here.context.config.network_key = stranger(9).id();  // without a limit on strangers
    const auto salt = pair.begin();
    REQUIRE(salt);
    for (std::uint16_t part = 0; part < 3; ++part) {
        std::vector<ExitedId> ids;
        for (std::uint16_t i = 0; i < 400; ++i)
            ids.push_back(digest_stranger(static_cast<std::uint16_t>(part * 400 + i)));
        pair.answer(*salt, std::move(ids), part == 2);
    }
    CHECK(pair.take_wanted().size() == kMaxNoticesPerComparison);
}

TEST_CASE("the pause after a large answer ends with its session") {
    DigestPair pair;
    const auto salt = pair.begin();
    REQUIRE(salt);
    pair.answer(*salt, std::vector<ExitedId>(kMaxDeltaIds + 1));
    CHECK_FALSE(pair.begin());
    pair.here.comparison.forget(1);
    CHECK(pair.begin());
}
