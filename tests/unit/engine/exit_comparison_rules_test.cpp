#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

ExitedId doubt_id_of(const NodeId& owner) {
    return {owner.bytes()};
}

/// A node after a start, and a neighbour of version 2 for which the test answers.
struct DoubtPair {
    Parts here;
    ExitSet there;
    Session& session = here.connect(here.peer, 1);

    DoubtPair() { start_again(); }
    void start_again() {
        LoadedState state;
        state.restored = true;
        state.last_own_version = SeedVersion{1};
        state.recipients.push_back({stranger(40).id(), SeedVersion{1}, {}});
        here.own_seed.load(state);
        here.own_state.load(state);
        here.comparison.start();
        here.context.effects.clear();
    }
    [[nodiscard]] std::optional<ExitQuery> query() {
        std::optional<ExitQuery> found;
        for (auto& send : here.take<Send>()) {
            if (send.session != 1) continue;
            auto envelope = decode(std::move(send.frames));
            REQUIRE(envelope);
            if (auto* query = std::get_if<ExitQuery>(&envelope->message)) found = std::move(*query);
        }
        return found;
    }
    /// Answers until nothing more is asked. @return all queries
    std::vector<ExitQuery> finish() {
        std::vector<ExitQuery> queries;
        for (auto asked = query(); asked; asked = query()) {
            ExitAnswer answer{asked->number, there.size(), fingerprint_of(asked->salt, there.digest()), {}};
            for (const auto& range : asked->ranges)
                answer.ranges.push_back(there.answer(asked->salt, range));
            REQUIRE(here.comparison.take_answer(1, session, answer));
            queries.push_back(*asked);
        }
        return queries;
    }
    std::vector<ExitQuery> compare() {
        here.context.effects.clear();
        here.comparison.begin(1, session);
        return finish();
    }
    /// No exit of a stranger can be taken from the neighbour today.
    void take_no_strangers() {
        REQUIRE(here.sessions.allowances_of(here.peer.id())
                    .introductions.take(kMaxIntroductionsPerDay, here.context.now.steady));
    }
};

}  // namespace

TEST_CASE("the only neighbour does not settle the doubt while it knows an exit that is unknown here") {
    DoubtPair pair;
    const NodeId owner = pair.here.other.id();
    pair.here.erasures.put_on_disk(owner);
    pair.there.insert(doubt_id_of(owner));
    pair.compare();
    CHECK(pair.here.comparison.keeps_out(owner));
    CHECK(pair.here.own_state.is_restored());
}

TEST_CASE(
    "after a doubt a restored neighbour is not believed before the time of a lease, counted from then") {
    DoubtPair pair;
    pair.here.connect(pair.here.other, 2);
    pair.session.restored = true;
    const auto lease_time = pair.here.context.config.lease_time;
    pair.here.pass(lease_time);
    pair.here.comparison.doubt();
    CHECK(pair.finish().size() == 1);
    CHECK(pair.here.comparison.keeps_out(pair.here.other.id()));
    pair.here.pass(lease_time);
    pair.compare();
    CHECK_FALSE(pair.here.comparison.keeps_out(pair.here.other.id()));
}

TEST_CASE("a doubt withdraws all vouching") {
    DoubtPair pair;
    pair.here.connect(pair.here.other, 2);
    pair.compare();
    CHECK_FALSE(pair.here.comparison.keeps_out(pair.here.other.id()));
    pair.here.comparison.doubt();
    CHECK(pair.here.comparison.keeps_out(pair.here.other.id()));
}

TEST_CASE("a doubt asks anew at once, though a query is under way") {
    DoubtPair pair;
    pair.here.comparison.begin(1, pair.session);
    const auto old = pair.query();
    REQUIRE(old);
    pair.here.comparison.doubt();
    const auto asked = pair.query();
    REQUIRE(asked);
    CHECK(asked->number != old->number);
}

TEST_CASE("a doubt relies on nothing that was found out before") {
    DoubtPair pair;
    pair.take_no_strangers();
    pair.there.insert(doubt_id_of(stranger(50).id()));
    pair.compare();
    CHECK(pair.compare().size() == 1);
    pair.here.comparison.doubt();
    CHECK(pair.finish().size() > 1);
}

TEST_CASE("recipients, owners of seeds on disk and this node itself are known owners, strangers are not") {
    DoubtPair pair;
    const NodeId recipient = stranger(40).id();
    const NodeId on_disk = stranger(41).id();
    pair.here.erasures.put_on_disk(on_disk);
    CHECK(pair.here.comparison.is_known_owner(recipient));
    CHECK(pair.here.comparison.is_known_owner(on_disk));
    CHECK_FALSE(pair.here.comparison.is_known_owner(stranger(42).id()));
    // When no stranger's exit can be taken, those of known owners are still asked for.
    pair.take_no_strangers();
    for (const NodeId& owner : {recipient, on_disk, pair.here.self.id(), stranger(42).id()})
        pair.there.insert(doubt_id_of(owner));
    std::set<ExitedId> wanted;
    for (const auto& query : pair.compare())
        wanted.insert(query.wanted.begin(), query.wanted.end());
    CHECK(wanted == std::set{doubt_id_of(recipient), doubt_id_of(on_disk), doubt_id_of(pair.here.self.id())});
}
