#include "protocol/engine/members.hpp"

#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

struct MemberParts : Parts {
    Identity key = stranger(10);
    std::set<NodeId> gone;
    std::set<NodeId> expelled;
    Members members{context,
                    writes,
                    peers,
                    network_key,
                    [this](const NodeId& who) { return gone.contains(who) || expelled.contains(who); },
                    [this](const NodeId& who) { return expelled.contains(who); }};

    explicit MemberParts(MemberPolicy policy = MemberPolicy::exchange) {
        context.config.network_key = key.id();
        context.config.members.policy = policy;
        network_key.load({});
    }
    [[nodiscard]] SignedBytes membership(std::uint32_t member, std::uint64_t number,
                                         std::chrono::seconds time) const {
        return sign_term_membership(
            key, network(),
            {key.id(), stranger(member).id(), number, context.now.wall, context.now.wall + time});
    }
    /// The member says Hello.
    bool admit(std::uint32_t member, std::uint64_t number = 1, std::chrono::seconds time = 24h) {
        return members.admit(stranger(member).id(), membership(member, number, time));
    }
    [[nodiscard]] bool exchanges(std::uint32_t member) const {
        return members.exchanges(stranger(member).id());
    }
    [[nodiscard]] Admission why(std::uint32_t member) const {
        return members.why_no_seeds(stranger(member).id());
    }
    void refresh() { static_cast<void>(members.refresh()); }
};

}  // namespace

TEST_CASE("a member that let itself in exchanges exits only, unless the operator wants more") {
    MemberParts parts(MemberPolicy::exits_only);
    CHECK(parts.admit(20));
    parts.refresh();
    CHECK_FALSE(parts.exchanges(20));
    CHECK(parts.why(20) == Admission::exits_only);
    CHECK_FALSE(parts.members.may_only_leave(stranger(20).id()));
    // The control: a neighbour that the operator named.
    parts.peers.add(stranger(21).id(), std::nullopt, PeerSource::added);
    parts.refresh();
    CHECK(parts.exchanges(21));
}

TEST_CASE("members exchange in the order in which they came, up to the limit") {
    MemberParts parts;
    parts.context.config.members.limit = 2;
    for (const std::uint32_t member : {22, 20, 21})
        CHECK(parts.admit(member));
    parts.refresh();
    CHECK(parts.exchanges(22));
    CHECK(parts.exchanges(20));
    CHECK_FALSE(parts.exchanges(21));
    CHECK(parts.why(21) == Admission::no_place);
}

TEST_CASE("neighbours that the operator named come first, in the order of the configuration") {
    MemberParts parts;
    parts.context.config.seed_room.places = 3;
    for (const std::uint32_t neighbour : {40, 30}) {
        parts.context.config.neighbours.push_back({stranger(neighbour).id(), std::nullopt});
        parts.peers.add(stranger(neighbour).id(), std::nullopt, PeerSource::config);
    }
    CHECK(parts.admit(20));
    CHECK(parts.admit(21));
    parts.refresh();
    CHECK(parts.exchanges(40));
    CHECK(parts.exchanges(30));
    CHECK(parts.exchanges(20));
    CHECK_FALSE(parts.exchanges(21));
    // One more neighbour takes the place of the last member.
    parts.peers.add(stranger(31).id(), std::nullopt, PeerSource::added);
    const auto changes = parts.members.refresh();
    CHECK(changes.gained == std::vector<NodeId>{stranger(31).id()});
    CHECK(changes.lost == std::vector<NodeId>{stranger(20).id()});
    CHECK(parts.why(20) == Admission::no_place);
    // With fewer places than neighbours, the first ones of the configuration have them.
    parts.context.config.seed_room.places = 1;
    parts.refresh();
    CHECK(parts.exchanges(40));
    CHECK_FALSE(parts.exchanges(30));
    CHECK(parts.why(30) == Admission::no_place);
}

TEST_CASE(
    "neighbours that were added later come later, and who was removed comes last when it is added again") {
    MemberParts parts;
    parts.context.config.seed_room.places = 2;
    const auto add = [&](std::uint32_t neighbour) {
        parts.peers.add(stranger(neighbour).id(), std::nullopt, PeerSource::added);
        parts.refresh();
    };
    for (const std::uint32_t neighbour : {42, 41, 40, 39})
        add(neighbour);
    const auto places = [&] {
        std::set<std::uint32_t> out;
        for (std::uint32_t neighbour = 39; neighbour <= 42; ++neighbour)
            if (parts.exchanges(neighbour)) out.insert(neighbour);
        return out;
    };
    CHECK(places() == std::set<std::uint32_t>{41, 42});
    add(42);  // its address has changed
    CHECK(places() == std::set<std::uint32_t>{41, 42});
    parts.peers.set_former(stranger(42).id(), true);
    parts.refresh();
    CHECK(places() == std::set<std::uint32_t>{40, 41});
    add(42);
    CHECK(places() == std::set<std::uint32_t>{40, 41});
}

TEST_CASE("after somebody left, the others have the places that they would have had without it") {
    const std::vector<std::uint32_t> arrivals{25, 20, 24, 21, 23, 22};
    for (const std::uint32_t leaver : arrivals) {
        MemberParts with;
        MemberParts without;
        for (auto* world : {&with, &without})
            world->context.config.members.limit = 3;
        for (const std::uint32_t member : arrivals) {
            CHECK(with.admit(member));
            with.refresh();
            if (member == leaver) continue;
            CHECK(without.admit(member));
            without.refresh();
        }
        std::set<std::uint32_t> before;
        for (const std::uint32_t member : arrivals)
            if (with.exchanges(member)) before.insert(member);
        with.gone.insert(stranger(leaver).id());
        with.refresh();
        for (const std::uint32_t member : arrivals) {
            if (member == leaver) continue;
            CHECK(with.exchanges(member) == without.exchanges(member));
            // A departure never takes another one's place away.
            if (before.contains(member)) CHECK(with.exchanges(member));
        }
    }
}

TEST_CASE(
    "a membership that has ended allows an exit and nothing else, and a renewed one stands at the end") {
    MemberParts parts;
    parts.context.config.members.limit = 1;
    CHECK(parts.admit(20, 1, 1h));
    CHECK(parts.admit(21, 1, 48h));
    parts.refresh();
    CHECK(parts.exchanges(20));
    parts.pass(1h);
    const auto changes = parts.members.refresh();
    CHECK(changes.lost == std::vector<NodeId>{stranger(20).id()});
    CHECK(changes.gained == std::vector<NodeId>{stranger(21).id()});
    CHECK(parts.members.may_only_leave(stranger(20).id()));
    CHECK(parts.why(20) == Admission::no_membership);
    // It comes back behind those who stayed, and displaces nobody.
    CHECK(parts.admit(20, 2, 48h));
    parts.refresh();
    CHECK(parts.exchanges(21));
    CHECK_FALSE(parts.exchanges(20));
    CHECK_FALSE(parts.members.may_only_leave(stranger(20).id()));
}

TEST_CASE(
    "a membership that is renewed in time keeps its place, and an old one that is replayed changes nothing") {
    MemberParts parts;
    parts.context.config.members.limit = 1;
    const auto old = parts.membership(20, 5, 1h);
    CHECK(parts.members.admit(stranger(20).id(), old));
    CHECK(parts.admit(21));
    CHECK(parts.admit(20, 6, 48h));
    parts.pass(2h);
    parts.refresh();
    CHECK(parts.exchanges(20));
    CHECK(parts.members.admit(stranger(20).id(), old));
    parts.refresh();
    CHECK(parts.exchanges(20));
    CHECK(parts.members.end_of(stranger(20).id()) == parts.context.now.wall - 2h + 48h);
    // Neither does one without an end, once there is one with an end.
    CHECK(parts.members.admit(stranger(20).id(),
                              sign_membership(parts.key, parts.network(), {stranger(20).id()})));
    CHECK(parts.members.end_of(stranger(20).id()));
}

TEST_CASE("memberships without an end count until the operator decides otherwise") {
    MemberParts parts;
    const auto endless = sign_membership(parts.key, parts.network(), {stranger(20).id()});
    CHECK(parts.members.admit(stranger(20).id(), endless));
    parts.refresh();
    CHECK(parts.exchanges(20));
    parts.context.config.members.without_end = false;
    parts.refresh();
    CHECK_FALSE(parts.exchanges(20));
    CHECK(parts.members.may_only_leave(stranger(20).id()));
}

TEST_CASE("a membership that begins later lets nobody in yet") {
    MemberParts parts;
    const auto later = sign_term_membership(
        parts.key, parts.network(),
        {parts.key.id(), stranger(20).id(), 1, parts.context.now.wall + 1h, parts.context.now.wall + 2h});
    CHECK_FALSE(parts.members.admit(stranger(20).id(), later));
    parts.pass(1h);
    CHECK(parts.members.admit(stranger(20).id(), later));
}

TEST_CASE("after a succession, memberships of the replaced key count where they are known, until their end") {
    MemberParts parts;
    const Identity next = stranger(11);
    CHECK(parts.admit(20, 1, 1000h));
    const auto unseen = parts.membership(21, 1, 1000h);
    REQUIRE(parts.network_key
                .take(sign_succession(
                    parts.key, parts.network(),
                    {parts.key.id(), next.id(), 1, parts.context.now.wall, parts.context.now.wall + 24h}))
                .value());
    parts.refresh();
    CHECK(parts.exchanges(20));
    // Nobody can tell whether the thief signed this one yesterday or today.
    CHECK_FALSE(parts.members.admit(stranger(21).id(), unseen));
    CHECK(parts.admit(20, 2, 2000h));  // known, but its new membership does not count
    CHECK(parts.members.end_of(stranger(20).id()) == parts.context.now.wall + 24h);
    parts.pass(24h);
    parts.refresh();
    CHECK_FALSE(parts.exchanges(20));
    // The new key issues it again.
    CHECK(parts.members.admit(
        stranger(20).id(),
        sign_term_membership(next, parts.network(),
                             {next.id(), stranger(20).id(), 1, {}, parts.context.now.wall + 24h})));
    parts.refresh();
    CHECK(parts.exchanges(20));
}

TEST_CASE("the order of admission is known again after a restart") {
    MemberParts parts;
    parts.context.config.members.limit = 1;
    LoadedState state;
    state.members = {{stranger(21).id(), 3, parts.membership(21, 1, 24h)},
                     {stranger(20).id(), 7, parts.membership(20, 1, 24h)}};
    parts.members.load(state);
    CHECK(parts.admit(19));
    parts.refresh();
    CHECK(parts.exchanges(21));
    CHECK_FALSE(parts.exchanges(20));
    CHECK_FALSE(parts.exchanges(19));
    parts.gone.insert(stranger(21).id());
    parts.refresh();
    CHECK(parts.exchanges(20));
    parts.gone.insert(stranger(20).id());
    parts.refresh();
    CHECK(parts.exchanges(19));
}

TEST_CASE(
    "a dispute about the network's key takes nobody's place away, also after a restart, and lets nobody in") {
    MemberParts parts;
    const Identity next = stranger(11);
    const auto name = [&](const Identity& successor) {
        return sign_succession(
            parts.key, parts.network(),
            {parts.key.id(), successor.id(), 1, parts.context.now.wall, parts.context.now.wall + 1h});
    };
    const auto by_next = [&](std::uint32_t member) {
        return sign_term_membership(
            next, parts.network(), {next.id(), stranger(member).id(), 1, {}, parts.context.now.wall + 1000h});
    };
    CHECK(parts.admit(20, 1, 1000h));
    REQUIRE(parts.network_key.take(name(next)).value());
    CHECK(parts.members.admit(stranger(21).id(), by_next(21)));
    LoadedState state;
    for (const auto& write : parts.take<Persist>())
        for (const auto& op : write.ops) {
            if (const auto* put = std::get_if<PutMember>(&op)) state.members.push_back(*put);
            if (const auto* put = std::get_if<PutSuccession>(&op)) state.successions.push_back(*put);
        }
    REQUIRE(state.members.size() == 2);
    REQUIRE(parts.network_key.take(name(stranger(12))).value());
    state.successions.push_back({name(stranger(12))});
    MemberParts after;
    after.network_key.load(state);
    after.members.load(state);
    REQUIRE(after.network_key.is_undecided());
    for (auto* world : {&parts, &after}) {
        world->pass(2h);  // beyond the end that either succession names
        world->refresh();
        CHECK(world->exchanges(20));
        CHECK(world->exchanges(21));
        CHECK_FALSE(world->members.admit(stranger(22).id(), by_next(22)));
        CHECK_FALSE(world->admit(23));
    }
}

TEST_CASE("an expelled member may only leave, even when the operator named it") {
    MemberParts parts;
    parts.peers.add(stranger(20).id(), std::nullopt, PeerSource::config);
    parts.refresh();
    CHECK(parts.exchanges(20));
    parts.expelled.insert(stranger(20).id());
    parts.refresh();
    CHECK_FALSE(parts.exchanges(20));
    CHECK(parts.members.may_only_leave(stranger(20).id()));
    CHECK(parts.why(20) == Admission::expelled);
}

TEST_CASE("a network without a key and without a limit gives out no places") {
    Parts parts;
    parts.network_key.load({});
    const Members members{parts.context,
                          parts.writes,
                          parts.peers,
                          parts.network_key,
                          [](const NodeId&) { return false; },
                          [](const NodeId&) { return false; }};
    CHECK(members.exchanges(parts.peer.id()));
    CHECK_FALSE(members.may_only_leave(parts.peer.id()));
    parts.context.config.seed_room.places = 4;
    CHECK_FALSE(members.exchanges(parts.peer.id()));
}
