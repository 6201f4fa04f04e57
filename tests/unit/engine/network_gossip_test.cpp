#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

struct GossipParts : Parts {
    Identity first = stranger(10);
    Identity second = stranger(11);

    GossipParts() {
        context.config.network_key = first.id();
        network_key.load({});
    }
    void succeed() {
        REQUIRE(network_key
                    .take(sign_succession(first, network(),
                                          {first.id(), second.id(), 1, context.now.wall, context.now.wall}))
                    .value());
    }
    /// So many members are expelled, durably, by `key`.
    void expel(std::uint32_t count, const Identity& key) {
        for (std::uint32_t i = 0; i < count; ++i) {
            const NodeId member = stranger(1000 + i).id();
            REQUIRE(expulsions.take(sign_revocation(key, network(), {key.id(), member, 1, {}})).value());
            expulsions.on(after_write::RevocationStored{member});
        }
        context.effects.clear();
    }
    /// What the other side of the session is sent when it says that it knows `ids`.
    std::vector<NetworkStatement> told(SessionId id, Session& session, std::vector<Digest> ids) {
        REQUIRE(gossip.take(id, session, NetworkDigest{NetworkDigestPart::known, true, {}, std::move(ids)}));
        return take_sent<NetworkStatement>();
    }
};

}  // namespace

TEST_CASE("two that know the same tell each other nothing but a summary") {
    GossipParts here;
    GossipParts there;
    here.expel(3, here.first);
    there.expel(3, there.first);
    here.gossip.begin(1, here.connect(here.peer, 1));
    const auto summaries = here.take_sent<NetworkDigest>();
    REQUIRE(summaries.size() == 1);
    Session& session = there.connect(there.peer, 1);
    there.context.effects.clear();
    REQUIRE(there.gossip.take(1, session, summaries[0]));
    CHECK(there.context.effects.empty());
    // The control: one more makes a difference.
    there.succeed();
    there.pass(kCompareAtMostEvery);
    there.context.effects.clear();
    REQUIRE(there.gossip.take(1, session, summaries[0]));
    CHECK(there.take_sent<NetworkDigest>().size() == 1);
}

TEST_CASE("two that heard different statements of the same need to tell each other nothing") {
    GossipParts here;
    GossipParts there;
    here.succeed();
    REQUIRE(there.network_key
                .take(sign_succession(there.first, there.network(),
                                      {there.first.id(), there.second.id(), 77, there.context.now.wall, {}}))
                .value());
    const NodeId member = stranger(1000).id();
    for (auto* parts : {&here, &there}) {
        const std::uint64_t number = parts == &here ? 1 : 2;
        REQUIRE(parts->expulsions
                    .take(sign_revocation(parts->second, parts->network(),
                                          {parts->second.id(), member, number, {}}))
                    .value());
        parts->expulsions.on(after_write::RevocationStored{member});
        parts->context.effects.clear();
    }
    here.gossip.begin(1, here.connect(here.peer, 1));
    const auto summaries = here.take_sent<NetworkDigest>();
    Session& session = there.connect(there.peer, 1);
    there.context.effects.clear();
    REQUIRE(there.gossip.take(1, session, summaries.at(0)));
    CHECK(there.context.effects.empty());
}

TEST_CASE("what is missing there is sent, successions first") {
    GossipParts parts;
    parts.succeed();
    parts.expel(2, parts.second);
    Session& session = parts.connect(parts.peer, 1);
    parts.gossip.begin(1, session);
    parts.context.effects.clear();
    const auto told = parts.told(1, session, {});
    REQUIRE(told.size() == 3);
    CHECK(told[0].kind == NetworkStatementKind::succession);
    CHECK(told[1].kind == NetworkStatementKind::revocation);
    // Whoever knows all but one is sent that one.
    parts.gossip.begin(1, session);
    parts.context.effects.clear();
    const auto id_of = [](NetworkStatementKind kind, const NodeId& key, const NodeId& subject) {
        Bytes says{static_cast<std::uint8_t>(kind)};
        for (const auto* id : {&key, &subject})
            says.insert(says.end(), id->view().begin(), id->view().end());
        return digest_of(says);
    };
    const auto last = read_revocation(told[2].statement);
    REQUIRE(last);
    CHECK(parts
              .told(1, session,
                    {id_of(NetworkStatementKind::succession, parts.first.id(), parts.second.id()),
                     id_of(NetworkStatementKind::revocation, parts.second.id(), last->member)})
              .size() == 1);
}

TEST_CASE("many ids travel in several messages") {
    GossipParts parts;
    parts.expel(kMaxDeltaIds + 1, parts.first);
    Session& session = parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    REQUIRE(parts.gossip.take(1, session, NetworkDigest{NetworkDigestPart::summary, true, {}, {}}));
    const auto parts_sent = parts.take_sent<NetworkDigest>();
    REQUIRE(parts_sent.size() == 2);
    CHECK(parts_sent[0].ids.size() == kMaxDeltaIds);
    CHECK_FALSE(parts_sent[0].last);
    CHECK(parts_sent[1].ids.size() == 1);
    CHECK(parts_sent[1].last);
    // Who asks again at once is not answered.
    REQUIRE(parts.gossip.take(1, session, NetworkDigest{NetworkDigestPart::summary, true, {}, {}}));
    CHECK(parts.take_sent<NetworkDigest>().empty());
}

TEST_CASE("ids that nobody asked for are ignored, and more than anybody keeps are an offence") {
    GossipParts parts;
    parts.expel(1, parts.first);
    Session& session = parts.connect(parts.peer, 1);
    parts.context.effects.clear();
    CHECK(parts.told(1, session, {}).empty());
    parts.gossip.begin(1, session);
    Result<void> taken;
    for (std::uint32_t sent = 0; taken && sent <= kMaxRevocations + kMaxSuccessions; sent += kMaxDeltaIds) {
        NetworkDigest digest{NetworkDigestPart::known, false, {}, {}};
        for (std::uint32_t i = 0; i < kMaxDeltaIds; ++i)
            digest.ids.push_back(
                digest_of(Bytes{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8U),
                                static_cast<std::uint8_t>(sent / kMaxDeltaIds)}));
        taken = parts.gossip.take(1, session, digest);
    }
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == ErrorCode::too_much);
}

TEST_CASE("a neighbour of version 1 is told nothing") {
    GossipParts parts;
    parts.expel(1, parts.first);
    Session& session = parts.connect(parts.peer, 1);
    session.version = 1;
    parts.context.effects.clear();
    parts.gossip.begin(1, session);
    parts.gossip.pass_on(NetworkStatementKind::revocation, parts.expulsions.durable().at(0));
    CHECK(parts.context.effects.empty());
    session.version = 2;
    parts.gossip.begin(1, session);
    parts.gossip.pass_on(NetworkStatementKind::revocation, parts.expulsions.durable().at(0));
    CHECK(parts.context.effects.size() == 2);
}

TEST_CASE("one neighbour after the other is compared with") {
    GossipParts parts;
    parts.connect(parts.peer, 1);
    parts.connect(parts.other, 2);
    std::set<SessionId> compared;
    for (int i = 0; i < 2; ++i) {
        parts.context.effects.clear();
        parts.pass(kCompareInterval);
        parts.gossip.tick();
        for (const auto& send : parts.take<Send>())
            compared.insert(send.session);
    }
    CHECK(compared == std::set<SessionId>{1, 2});
}
