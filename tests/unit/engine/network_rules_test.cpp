#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include "parts.hpp"
#include "protocol/engine/members.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

/// An id that no identity needs to exist for.
NodeId some_id(std::uint32_t number) {
    std::array<std::uint8_t, NodeId::kSize> bytes{};
    for (std::size_t i = 0; i < 4; ++i)
        bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return NodeId::from_checked_bytes(bytes).value();
}

/// A network with a key, and all parts that what the key signs concerns.
struct NetworkRules : Parts {
    Identity first = stranger(10);
    Identity second = stranger(11);
    std::set<NodeId> gone;
    Members members{context,
                    writes,
                    peers,
                    network_key,
                    [this](const NodeId& who) { return gone.contains(who); },
                    [](const NodeId&) { return false; }};

    NetworkRules() {
        context.config.network_key = first.id();
        context.config.members.policy = MemberPolicy::exchange;
        network_key.load({});
    }
    [[nodiscard]] SignedBytes succession(const Identity& from, const Identity& to) const {
        return sign_succession(from, network(),
                               {from.id(), to.id(), 1, context.now.wall, context.now.wall + 24h});
    }
    [[nodiscard]] SignedBytes revocation(const Identity& key, const NodeId& member) const {
        return sign_revocation(key, network(), {key.id(), member, 1, context.now.wall});
    }
    [[nodiscard]] SignedBytes membership(const NodeId& member, std::uint64_t number,
                                         std::chrono::seconds time) const {
        return sign_term_membership(first, network(),
                                    {first.id(), member, number, context.now.wall, context.now.wall + time});
    }
    bool admit(const NodeId& member, std::uint64_t number = 1, std::chrono::seconds time = 24h) {
        return members.admit(member, membership(member, number, time));
    }
    /// The member is expelled, and that is on disk.
    void expel(const NodeId& member) {
        REQUIRE(expulsions.take(revocation(first, member)).value());
        expulsions.on(store<after_write::RevocationStored>());
    }
    /// So many revocations by the first key are on disk.
    void load_revocations(std::size_t count) {
        LoadedState state;
        const auto same = revocation(first, other.id());
        for (std::uint32_t i = 0; i < count; ++i)
            state.revocations.push_back({some_id(1000 + i), same, SeedVersion{0}});
        expulsions.load(state);
    }
    /// What the other side of session 1 is sent when it names the last of the ids that it knows.
    std::size_t sent_to_who_knows(std::vector<Digest> ids) {
        context.effects.clear();
        REQUIRE(gossip.take(1, sessions.at(1),
                            NetworkDigest{NetworkDigestPart::known, true, {}, std::move(ids)}));
        return take_sent<NetworkStatement>().size();
    }
    /// The other side of session 1 has something else. @return how many messages answer it
    std::size_t answers_to_summary() {
        context.effects.clear();
        REQUIRE(gossip.take(1, sessions.at(1), NetworkDigest{NetworkDigestPart::summary, true, {}, {}}));
        return take_sent<NetworkDigest>().size();
    }
    /// The members that are deleted from disk.
    std::vector<NodeId> dropped_from_disk() {
        std::vector<NodeId> out;
        for (const auto& write : take<Persist>())
            for (const auto& op : write.ops)
                if (const auto* drop = std::get_if<DropMember>(&op)) out.push_back(drop->member);
        return out;
    }
};

/// The id of a revocation or succession, as wire.md says.
Digest id_in_gossip(NetworkStatementKind kind, const NodeId& key, const NodeId& subject) {
    Bytes says{static_cast<std::uint8_t>(kind)};
    for (const auto* id : {&key, &subject})
        says.insert(says.end(), id->view().begin(), id->view().end());
    return digest_of(says);
}

}  // namespace

// ---------------------------------------------------------------- expulsions

TEST_CASE("the erasure of an expelled member's seed goes on after a restart") {
    NetworkRules parts;
    const NodeId member = parts.peer.id();
    LoadedState state;
    state.revocations.push_back({member, parts.revocation(parts.first, member), SeedVersion{1}});
    parts.expulsions.load(state);
    parts.erasures.put_on_disk(member);
    parts.expulsions.start();
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    CHECK(std::get<EraseHeldSeed>(asked[0].ops.at(0)).owner == member);
    const auto then = parts.writes.take(Stored{asked[0].ticket});
    REQUIRE(then);
    parts.expulsions.on(std::get<after_write::ExpelledSeedErased>(*then));
    CHECK_FALSE(parts.erasures.may_be_on_disk(member));
}

TEST_CASE("one key expels no more than there is room for, and leaves the next key room of its own") {
    NetworkRules parts;
    parts.load_revocations(kMaxRevocations - 1);
    CHECK(parts.expulsions.take(parts.revocation(parts.first, stranger(20).id())).value());
    CHECK_FALSE(parts.expulsions.take(parts.revocation(parts.first, stranger(21).id())).value());
    CHECK(parts.expulsions.size() == kMaxRevocations);
    // A thief of the first key has used up its room. The true one goes on with the next key.
    REQUIRE(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    CHECK(parts.expulsions.take(parts.revocation(parts.second, stranger(21).id())).value());
}

TEST_CASE("whoever is expelled while its seed is being wiped gets a receipt that names the version") {
    NetworkRules parts;
    const NodeId member = parts.peer.id();
    parts.hold_seed_of(parts.peer, 1, 3);
    // The operator has removed it a moment ago.
    parts.erasures.wipe(member, parts.held.stop_using(member));
    REQUIRE(parts.expulsions.take(parts.revocation(parts.first, member)).value());
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    CHECK(std::get<PutRevocation>(asked[0].ops.at(0)).erased == SeedVersion{3});
    REQUIRE(parts.erasures.finish_wipe(member));
    CHECK(parts.erasures.wiped_version(member) == SeedVersion{3});
}

TEST_CASE("the seed of a member that is expelled after it left is erased by its exit alone") {
    NetworkRules parts;
    const NodeId member = parts.peer.id();
    parts.hold_seed_of(parts.peer, 1);
    parts.learn_exit_of(parts.peer);
    parts.context.effects.clear();
    parts.expel(member);
    REQUIRE(parts.erasures.finish_wipe(member));
    parts.expulsions.advance(member);
    CHECK(parts.take<Persist>().empty());
    CHECK(parts.erasures.may_be_on_disk(member));
}

TEST_CASE("an expulsion is told to nobody before it is durable, and then to its member, too") {
    NetworkRules parts;
    const NodeId member = parts.peer.id();
    Session& session = parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    REQUIRE(parts.expulsions.take(parts.revocation(parts.first, member)).value());
    const auto asked = parts.take<Persist>();
    CHECK(parts.expulsions.signed_by_current_key().empty());
    CHECK(parts.expulsions.revocation_of(member) == nullptr);
    parts.gossip.show_expelled(1, session);
    CHECK(parts.context.effects.empty());

    REQUIRE(asked.size() == 1);
    parts.expulsions.on(std::get<after_write::RevocationStored>(*parts.writes.take(Stored{asked[0].ticket})));
    CHECK(parts.expulsions.signed_by_current_key().size() == 1);
    parts.gossip.show_expelled(1, session);
    CHECK(parts.take_sent<NetworkStatement>().size() == 1);
    // The control: who is not expelled is shown nothing.
    parts.gossip.show_expelled(2, parts.connect(parts.other, 2));
    CHECK(parts.take_sent<NetworkStatement>().empty());
}

TEST_CASE("what the key of today has signed is passed on after a restart, too") {
    NetworkRules parts;
    parts.load_revocations(2);
    parts.connect(parts.peer, 1);
    CHECK(parts.expulsions.signed_by_current_key().size() == 2);
    CHECK(parts.answers_to_summary() == 1);
}

// ---------------------------------------------------------------- members

TEST_CASE("after a succession, a membership that ends earlier by itself ends then") {
    NetworkRules parts;
    const NodeId member = parts.peer.id();
    CHECK(parts.admit(member, 1, 1h));
    REQUIRE(parts.network_key.take(parts.succession(parts.first, parts.second)).value());
    CHECK(parts.members.end_of(member) == parts.context.now.wall + 1h);
    parts.pass(1h);
    CHECK(parts.members.may_only_leave(member));
}

TEST_CASE("a second membership with the same number changes nothing") {
    NetworkRules parts;
    const NodeId member = parts.peer.id();
    CHECK(parts.admit(member, 5, 1h));
    parts.context.effects.clear();
    CHECK(parts.admit(member, 5, 48h));
    CHECK(parts.members.end_of(member) == parts.context.now.wall + 1h);
    CHECK(parts.take<Persist>().empty());
    // The control: a higher one does.
    CHECK(parts.admit(member, 6, 48h));
    CHECK(parts.members.end_of(member) == parts.context.now.wall + 48h);
}

TEST_CASE(
    "members are limited in number: one more takes the room of one whose membership has ended, or none") {
    NetworkRules parts;
    LoadedState state;
    const NodeId brief = some_id(1000);
    state.members.push_back({brief, 1, parts.membership(parts.other.id(), 1, 1h)});
    const auto lasting = parts.membership(parts.other.id(), 1, 1000h);
    for (std::uint32_t i = 1; i < kMaxMembersFromHello; ++i)
        state.members.push_back({some_id(1000 + i), 1 + i, lasting});
    parts.members.load(state);
    CHECK_FALSE(parts.admit(parts.peer.id(), 1, 48h));
    CHECK(parts.dropped_from_disk().empty());
    parts.pass(1h);
    CHECK(parts.admit(parts.peer.id(), 1, 48h));
    // It would otherwise be back after a restart, and one more each time.
    CHECK(parts.dropped_from_disk() == std::vector{brief});
    CHECK(parts.members.size() == kMaxMembersFromHello);
    CHECK_FALSE(parts.members.is_member(brief));
}

TEST_CASE("a member that has left is deleted from disk, too, once") {
    NetworkRules parts;
    CHECK(parts.admit(parts.peer.id()));
    CHECK(parts.admit(parts.other.id()));
    for (const auto& write : parts.take<Persist>())
        static_cast<void>(parts.writes.take(Stored{write.ticket}));
    parts.gone.insert(parts.peer.id());
    static_cast<void>(parts.members.refresh());
    CHECK(parts.dropped_from_disk() == std::vector{parts.peer.id()});
    static_cast<void>(parts.members.refresh());
    CHECK(parts.dropped_from_disk().empty());
    CHECK(parts.members.is_member(parts.other.id()));
}

TEST_CASE("a member that the operator removed has no place") {
    NetworkRules parts;
    parts.context.config.members.limit = 1;
    const NodeId removed = parts.peer.id();
    CHECK(parts.admit(removed));
    CHECK(parts.admit(parts.other.id()));
    static_cast<void>(parts.members.refresh());
    REQUIRE(parts.members.exchanges(removed));
    parts.peers.add(removed, std::nullopt, PeerSource::membership, true);
    static_cast<void>(parts.members.refresh());
    CHECK_FALSE(parts.members.exchanges(removed));
    CHECK(parts.members.exchanges(parts.other.id()));
}

// ---------------------------------------------------------------- gossip

TEST_CASE("the summary is made of the ids in rising order, whatever the order of the statements") {
    NetworkRules parts;
    LoadedState state;
    std::vector<Digest> ids;
    for (std::uint32_t i = 0; i < 8; ++i) {
        const NodeId member = stranger(20 + i).id();
        state.revocations.push_back({member, parts.revocation(parts.first, member), SeedVersion{0}});
        ids.push_back(id_in_gossip(NetworkStatementKind::revocation, parts.first.id(), member));
    }
    parts.expulsions.load(state);
    std::sort(ids.begin(), ids.end());
    parts.gossip.begin(1, parts.connect(parts.peer, 1));
    const auto sent = parts.take_sent<NetworkDigest>();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].summary == digest_of(joined(ids)));
}

TEST_CASE("what a neighbour named in one comparison does not count in the next") {
    NetworkRules parts;
    parts.expel(stranger(20).id());
    const auto id = id_in_gossip(NetworkStatementKind::revocation, parts.first.id(), stranger(20).id());
    Session& session = parts.connect(parts.peer, 1);
    parts.gossip.begin(1, session);
    REQUIRE(parts.gossip.take(1, session, NetworkDigest{NetworkDigestPart::known, false, {}, {id}}));
    // The neighbour's disk was lost, say, before it came to the last one.
    parts.gossip.begin(1, session);
    CHECK(parts.sent_to_who_knows({}) == 1);
}

TEST_CASE("one summary of ours has one answer, however often the neighbour says what it knows") {
    NetworkRules parts;
    parts.expel(stranger(20).id());
    parts.gossip.begin(1, parts.connect(parts.peer, 1));
    CHECK(parts.sent_to_who_knows({}) == 1);
    CHECK(parts.sent_to_who_knows({}) == 0);
    parts.gossip.begin(1, parts.sessions.at(1));
    CHECK(parts.sent_to_who_knows({}) == 1);
}

TEST_CASE("a neighbour may name as many statements as a node keeps, and not one more") {
    NetworkRules parts;
    Session& session = parts.connect(parts.peer, 1);
    const auto name = [&](std::size_t count, bool last) {
        static std::uint64_t next = 0;
        NetworkDigest digest{NetworkDigestPart::known, last, {}, {}};
        for (std::size_t i = 0; i < count; ++i) {
            Bytes bytes;
            append_u64(bytes, ++next);
            bytes.resize(Digest::kSize);
            digest.ids.push_back(Digest::from(bytes).value());
        }
        return parts.gossip.take(1, session, digest);
    };
    parts.gossip.begin(1, session);
    CHECK(name(kMaxRevocations, false));
    CHECK(name(kMaxSuccessions, false));
    const auto more = name(1, true);
    REQUIRE_FALSE(more);
    CHECK(more.error().code == ErrorCode::too_much);
}

TEST_CASE("with a session, all that was kept of its comparisons ends") {
    NetworkRules parts;
    parts.expel(stranger(20).id());
    Session& session = parts.connect(parts.peer, 1);
    CHECK(parts.answers_to_summary() == 1);
    CHECK(parts.answers_to_summary() == 0);
    parts.gossip.begin(1, session);
    parts.gossip.forget(1);
    CHECK(parts.answers_to_summary() == 1);
    CHECK(parts.sent_to_who_knows({}) == 0);
}

// ---------------------------------------------------------------- the network's key

TEST_CASE("a succession that is no nearer to the first key than the others displaces none of them") {
    NetworkRules parts;
    std::vector<Identity> keys;
    keys.push_back(stranger(100));
    REQUIRE(parts.network_key.take(parts.succession(parts.first, keys[0])).value());
    for (std::uint32_t i = 1; i < kMaxSuccessions; ++i) {
        keys.push_back(stranger(100 + i));
        REQUIRE(parts.network_key.take(parts.succession(keys[i - 1], keys[i])).value());
    }
    const auto before = parts.network_key.successions();
    REQUIRE(before.size() == kMaxSuccessions);
    // Two nodes that replaced one by the other would tell each other of them for ever.
    const Identity& last_signer = keys[kMaxSuccessions - 2];
    CHECK_FALSE(parts.network_key.take(parts.succession(last_signer, stranger(50))).value());
    CHECK(parts.network_key.successions() == before);
}

TEST_CASE("the operator's choice of a key is stored, once") {
    NetworkRules parts;
    parts.network_key.follow(parts.second.id());
    const auto asked = parts.take<Persist>();
    REQUIRE(asked.size() == 1);
    CHECK(std::get<PutFollowedKey>(asked[0].ops.at(0)).key == parts.second.id());
    parts.network_key.follow(parts.second.id());
    CHECK(parts.take<Persist>().empty());
}

TEST_CASE("a succession from disk counts only with its signature") {
    NetworkRules parts;
    LoadedState state;
    state.successions = {{parts.succession(parts.first, parts.second)}};
    state.successions[0].succession.signature.value[0] ^= 1;
    parts.network_key.load(state);
    CHECK(parts.network_key.current() == parts.first.id());
    CHECK(parts.network_key.successions().empty());
}
