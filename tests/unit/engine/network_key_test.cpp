#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

struct KeyParts : Parts {
    Identity first = stranger(10);
    Identity second = stranger(11);
    Identity third = stranger(12);
    Identity thief = stranger(13);

    KeyParts() {
        context.config.network_key = first.id();
        network_key.load({});
    }
    [[nodiscard]] SignedBytes succession(const Identity& from, const Identity& to) const {
        return sign_succession(from, network(),
                               {from.id(), to.id(), 1, context.now.wall, context.now.wall + 24h});
    }
    [[nodiscard]] SignedBytes membership(const Identity& key, const Identity& member,
                                         std::uint64_t number) const {
        return sign_term_membership(key, network(),
                                    {key.id(), member.id(), number, context.now.wall, context.now.wall + 1h});
    }
    [[nodiscard]] SignedBytes revocation(const Identity& key, const Identity& member) const {
        return sign_revocation(key, network(), {key.id(), member.id(), 1, context.now.wall});
    }
};

}  // namespace

TEST_CASE("a membership counts only with the network's own signature for that very member") {
    Parts parts;
    const Identity key = stranger(9);
    const auto shown = sign_membership(key, parts.network(), {parts.peer.id()});
    parts.network_key.load({});
    CHECK_FALSE(parts.network_key.terms_of(parts.peer.id(), shown));
    parts.context.config.network_key = key.id();
    parts.network_key.load({});
    const auto terms = parts.network_key.terms_of(parts.peer.id(), shown);
    REQUIRE(terms);
    CHECK(terms->number == 0);
    CHECK_FALSE(terms->not_after);
    CHECK_FALSE(parts.network_key.terms_of(parts.other.id(), shown));
    CHECK_FALSE(parts.network_key.terms_of(parts.peer.id(),
                                           sign_membership(parts.other, parts.network(), {parts.peer.id()})));
    CHECK_FALSE(parts.network_key.terms_of(parts.peer.id(), std::nullopt));
}

TEST_CASE("a membership with an end says when it ends") {
    KeyParts parts;
    const auto terms =
        parts.network_key.terms_of(parts.peer.id(), parts.membership(parts.first, parts.peer, 3));
    REQUIRE(terms);
    CHECK(terms->number == 3);
    CHECK(terms->not_after == parts.context.now.wall + 1h);
    CHECK_FALSE(parts.network_key.terms_of(parts.other.id(), parts.membership(parts.first, parts.peer, 3)));
    CHECK_FALSE(parts.network_key.terms_of(parts.peer.id(), parts.membership(parts.thief, parts.peer, 3)));
}

TEST_CASE("keys follow each other, also when the later succession comes first again") {
    KeyParts parts;
    CHECK(parts.network_key.current() == parts.first.id());
    // Nobody named the second key yet, so what it signs is not looked at.
    CHECK_FALSE(parts.network_key.take(parts.succession(parts.second, parts.third)).value());
    CHECK(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    CHECK(parts.network_key.current() == parts.second.id());
    CHECK(parts.network_key.take(parts.succession(parts.second, parts.third)).value());
    CHECK(parts.network_key.current() == parts.third.id());
    CHECK_FALSE(parts.network_key.take(parts.succession(parts.second, parts.third)).value());
    CHECK(parts.network_key.chain().size() == 3);
    CHECK(parts.network_key.end_of_memberships_by(parts.first.id()) == parts.context.now.wall + 24h);
    CHECK_FALSE(parts.network_key.end_of_memberships_by(parts.third.id()));
    // Memberships by replaced keys are still known as such.
    CHECK(parts.network_key.terms_of(parts.peer.id(), parts.membership(parts.first, parts.peer, 1)));
}

TEST_CASE(
    "a succession with a wrong signature is an offence, and one that leads in a circle changes nothing") {
    KeyParts parts;
    auto forged = parts.succession(parts.first, parts.second);
    forged.signature.value[0] ^= 1;
    CHECK_FALSE(parts.network_key.take(forged));
    CHECK(parts.network_key.current() == parts.first.id());
    CHECK(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    CHECK(parts.network_key.take(parts.succession(parts.second, parts.first)).value());
    CHECK(parts.network_key.current() == parts.second.id());
}

TEST_CASE("two successors of one key: neither counts, in whatever order they came, until one is chosen") {
    for (const bool thief_first : {false, true}) {
        KeyParts parts;
        const auto good = parts.succession(parts.first, parts.second);
        const auto bad = parts.succession(parts.first, parts.thief);
        CHECK(parts.network_key.take(thief_first ? bad : good).value());
        CHECK(parts.network_key.take(thief_first ? good : bad).value());
        CHECK(parts.network_key.is_undecided());
        CHECK_FALSE(parts.network_key.current());
        CHECK(parts.network_key.successions().size() == 2);
        parts.network_key.follow(parts.second.id());
        CHECK(parts.network_key.current() == parts.second.id());
        // The choice holds for what follows, and a later conflict of a replaced key changes nothing.
        CHECK(parts.network_key.take(parts.succession(parts.second, parts.third)).value());
        CHECK(parts.network_key.current() == parts.third.id());
        CHECK(parts.network_key.take(parts.succession(parts.first, stranger(14))).value());
        CHECK(parts.network_key.current() == parts.third.id());
    }
}

TEST_CASE("another statement that names the same next key is not news, and disputes nothing") {
    KeyParts parts;
    CHECK(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    for (std::uint64_t number = 2; number < 100; ++number)
        CHECK_FALSE(parts.network_key
                        .take(sign_succession(parts.first, parts.network(),
                                              {parts.first.id(), parts.second.id(), number,
                                               parts.context.now.wall, WallTime{}}))
                        .value());
    CHECK(parts.network_key.successions().size() == 1);
    CHECK(parts.network_key.current() == parts.second.id());
    CHECK(parts.network_key.end_of_memberships_by(parts.first.id()) == parts.context.now.wall + 24h);
}

TEST_CASE("a thief's long chain of keys leaves room for what a key nearer to the first one signs") {
    KeyParts parts;
    std::vector<Identity> keys;
    keys.push_back(stranger(100));
    CHECK(parts.network_key.take(parts.succession(parts.first, keys[0])).value());
    for (std::uint32_t i = 1; i < kMaxSuccessions + 10; ++i) {
        keys.push_back(stranger(100 + i));
        CHECK(parts.network_key.take(parts.succession(keys[i - 1], keys[i])).value() ==
              (i < kMaxSuccessions));
    }
    CHECK(parts.network_key.successions().size() == kMaxSuccessions);
    // The true one is heard last: the thief is found out, and the operator can choose.
    CHECK(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    CHECK(parts.network_key.successions().size() == kMaxSuccessions);
    CHECK(parts.network_key.is_undecided());
    parts.network_key.follow(parts.second.id());
    CHECK(parts.network_key.current() == parts.second.id());
}

TEST_CASE("a choice that is made before its succession is known waits for it") {
    KeyParts parts;
    parts.network_key.follow(parts.second.id());
    CHECK_FALSE(parts.network_key.current());
    CHECK(parts.network_key.take(parts.succession(parts.first, parts.thief)).value());
    CHECK_FALSE(parts.network_key.current());
    CHECK(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    CHECK(parts.network_key.current() == parts.second.id());
}

TEST_CASE("a thief who signs many successors fills nothing, and the chosen one is taken all the same") {
    KeyParts parts;
    for (std::uint32_t i = 0; i < 20; ++i)
        REQUIRE(parts.network_key.take(parts.succession(parts.first, stranger(100 + i))));
    CHECK(parts.network_key.successions().size() == kMaxSuccessionsOfOneKey);
    CHECK_FALSE(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    parts.network_key.follow(parts.second.id());
    CHECK(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    CHECK(parts.network_key.current() == parts.second.id());
}

TEST_CASE("successions and the choice among them are known again after a restart") {
    KeyParts parts;
    LoadedState state;
    state.successions = {{parts.succession(parts.first, parts.second)},
                         {parts.succession(parts.first, parts.thief)}};
    parts.network_key.load(state);
    CHECK(parts.network_key.is_undecided());
    state.followed_key = PutFollowedKey{parts.second.id()};
    Parts after;
    after.context.config.network_key = parts.first.id();
    after.network_key.load(state);
    CHECK(after.network_key.current() == parts.second.id());
}

TEST_CASE("an expulsion stops all use at once, and erases memory and disk when it is durable") {
    KeyParts parts;
    parts.hold_seed_of(parts.peer, 1);
    const NodeId member = parts.peer.id();
    CHECK(parts.expulsions.take(parts.revocation(parts.first, parts.peer)).value());
    CHECK(parts.expulsions.contains(member));
    CHECK_FALSE(parts.held.has(member));
    CHECK(parts.expulsions.durable().empty());
    const auto effects = parts.context.effects;
    CHECK(parts.take<WipeSeed>().size() == 1);
    parts.context.effects = effects;
    parts.expulsions.on(parts.store<after_write::RevocationStored>());
    CHECK(parts.expulsions.durable().size() == 1);
    CHECK(parts.take<Persist>().empty());  // memory first
    REQUIRE(parts.erasures.finish_wipe(member));
    parts.expulsions.advance(member);
    parts.expulsions.on(parts.store<after_write::ExpelledSeedErased>());
    CHECK_FALSE(parts.erasures.may_be_on_disk(member));
    // It is final: a second one is nothing new.
    CHECK_FALSE(parts.expulsions.take(parts.revocation(parts.first, parts.peer)).value());
}

TEST_CASE("an expelled member that leaves gets a receipt for the version that its expulsion erased") {
    KeyParts parts;
    parts.hold_seed_of(parts.peer, 1, 3);
    const NodeId member = parts.peer.id();
    REQUIRE(parts.expulsions.take(parts.revocation(parts.first, parts.peer)).value());
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    const auto stored = std::get<PutRevocation>(asked[0].ops.at(0));
    CHECK(stored.erased == SeedVersion{3});

    // After a restart, too.
    Parts after;
    after.context.config.network_key = parts.first.id();
    after.network_key.load({});
    LoadedState state;
    state.revocations.push_back(stored);
    after.expulsions.load(state);
    after.expulsions.start();
    after.connect(after.peer, 1);
    after.context.effects.clear();
    after.learn_exit_of(after.peer);
    CHECK(after.exits.on(after.store<after_write::TombstoneStored>()));
    const auto receipts = after.take_sent<ReceiptMessage>();
    REQUIRE(receipts.size() == 1);
    CHECK(verify_receipt(after.self.id(), after.network(), receipts[0].receipt)->erased == SeedVersion{3});
    CHECK(after.exits.contains(member));
}

TEST_CASE("a revocation counts only from the key of today") {
    KeyParts parts;
    auto forged = parts.revocation(parts.first, parts.peer);
    forged.signature.value[0] ^= 1;
    CHECK_FALSE(parts.expulsions.take(forged));
    CHECK_FALSE(parts.expulsions.take(parts.revocation(parts.thief, parts.peer)).value());
    REQUIRE(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    // What the replaced key signs now is not looked at.
    CHECK_FALSE(parts.expulsions.take(parts.revocation(parts.first, parts.peer)).value());
    CHECK_FALSE(parts.expulsions.contains(parts.peer.id()));
    CHECK(parts.expulsions.take(parts.revocation(parts.second, parts.peer)).value());
    CHECK(parts.expulsions.contains(parts.peer.id()));
}

TEST_CASE(
    "who was expelled before a succession stays expelled, and others hear of it from the new key only") {
    KeyParts parts;
    REQUIRE(parts.expulsions.take(parts.revocation(parts.first, parts.peer)).value());
    parts.expulsions.on(parts.store<after_write::RevocationStored>());
    CHECK(parts.expulsions.signed_by_current_key().size() == 1);
    REQUIRE(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    CHECK(parts.expulsions.contains(parts.peer.id()));
    CHECK(parts.expulsions.signed_by_current_key().empty());
}
