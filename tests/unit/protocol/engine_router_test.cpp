#include <algorithm>

#include <doctest/doctest.h>

#include "protocol/network_statements.hpp"
#include "tests/support/engine_network.hpp"

/// What the router decides, with one real node. The test speaks for all others.

using namespace unlearn::testing;
using namespace std::chrono_literals;

namespace {

/// A peer for which the test speaks, and its last connection to the node.
struct RouterGuest {
    Identity who;
    SessionId session = 0;
    std::uint64_t sequence = 0;
    [[nodiscard]] const NodeId& id() const { return who.id(); }
};

const Identity& router_key() {
    static const Identity key = stranger(1'000'000);
    return key;
}
const Identity& router_next_key() {
    static const Identity key = stranger(1'000'001);
    return key;
}

constexpr WallTime kRouterBegin{1'600'000'000s};
constexpr WallTime kRouterEnd{2'000'000'000s};

class Reception {
  public:
    EngineNetwork net;

    /// The node lists the guests from 1 on.
    explicit Reception(std::uint32_t listed, const std::function<void(EngineConfig&)>& adjust = nullptr)
        : net{{"a"}, {}, [=](std::size_t, EngineConfig& config) {
                  for (std::uint32_t i = 1; i <= listed; ++i)
                      config.neighbours.push_back({stranger(i).id(), std::nullopt});
                  if (adjust) adjust(config);
              }} {
        net.start();
    }

    EngineNetwork::Node& node() { return net[0]; }
    [[nodiscard]] const Engine& engine() { return *net[0].engine; }
    void feed(const Input& input) {
        net.feed(0, input);
        net.settle();
    }

    /// The guest connects, for the first time or again, and says Hello.
    void come(RouterGuest& guest, std::optional<SignedBytes> membership = std::nullopt,
              std::uint8_t newest = kNewestVersion) {
        guest.session = ++last_session_;
        Hello hello;
        hello.newest_version = newest;
        hello.network = net.network();
        hello.sender = guest.id();
        hello.membership = std::move(membership);
        say(guest, hello);
    }
    RouterGuest come(std::uint32_t number, std::optional<SignedBytes> membership = std::nullopt,
                     std::uint8_t newest = kNewestVersion) {
        RouterGuest guest{stranger(number)};
        come(guest, std::move(membership), newest);
        return guest;
    }
    void say(RouterGuest& guest, Message message) {
        feed(Received{guest.session, guest.id().curve_key(),
                      encode(Envelope{++guest.sequence, std::move(message)})});
    }
    void say_state(RouterGuest& guest, std::optional<SignedBytes> yours = std::nullopt) {
        const StateStatement own{guest.id(), 1, StartId{{1}}, {}};
        say(guest, StateMessage{sign_state(guest.who, net.network(), own), false, std::move(yours)});
    }
    void announce(RouterGuest& guest, std::uint64_t version, std::uint64_t lease) {
        const auto record = describe_seed(guest.id(), SeedVersion{version}, "mlp:32", Bytes(100, 1), {});
        say(guest, Have{sign_record(guest.who, net.network(), *record),
                        sign_lease(guest.who, net.network(),
                                   {guest.id(), SeedVersion{version}, lease, kRouterEnd})});
    }
    void give_seed(RouterGuest& guest, std::uint64_t version) {
        announce(guest, version, version);
        say(guest, Chunk{SeedVersion{version}, 0, Bytes(100, 1)});
    }
    /// How many messages of a kind the guest got over its last connection.
    [[nodiscard]] std::size_t heard(const RouterGuest& guest, Kind kind) {
        return static_cast<std::size_t>(
            std::count_if(node().sent.begin(), node().sent.end(), [&](const Send& sent) {
                return sent.session == guest.session && sent.frames[0][3] == static_cast<std::uint8_t>(kind);
            }));
    }

    [[nodiscard]] SignedBytes membership(const NodeId& member, const Identity& key = router_key(),
                                         std::uint64_t number = 1) const {
        return sign_term_membership(key, net.network(), {key.id(), member, number, kRouterBegin, kRouterEnd});
    }
    [[nodiscard]] SignedBytes revocation(const NodeId& member, const Identity& key = router_key()) const {
        return sign_revocation(key, net.network(), {key.id(), member, 1, kRouterBegin});
    }
    [[nodiscard]] Exit exit_of(const Identity& owner, std::optional<SignedBytes> shown = std::nullopt) const {
        return {sign_notice(owner, net.network(), {owner.id(), {}, std::move(shown)})};
    }
    void expel(const NodeId& member) {
        feed(SubmitNetworkStatement{NetworkStatementKind::revocation, revocation(member)});
    }
    void succeed() {
        feed(SubmitNetworkStatement{
            NetworkStatementKind::succession,
            sign_succession(router_key(), net.network(),
                            {router_key().id(), router_next_key().id(), 1, kRouterBegin, kRouterEnd})});
    }
    /// What the node's disk was asked to erase and has not answered.
    [[nodiscard]] std::size_t erasures_waiting() {
        return static_cast<std::size_t>(
            std::count_if(node().hanging.begin(), node().hanging.end(), [](const Persist& persist) {
                return std::holds_alternative<EraseHeldSeed>(persist.ops.front());
            }));
    }
    /// The disk answers one write, and goes on hanging.
    template <typename Op>
    void release_one() {
        auto& waiting = node().hanging;
        const auto found = std::find_if(waiting.begin(), waiting.end(), [](const Persist& persist) {
            return std::holds_alternative<Op>(persist.ops.front());
        });
        REQUIRE(found != waiting.end());
        const Ticket ticket = found->ticket;
        waiting.erase(found);
        feed(Stored{ticket});
    }

  private:
    SessionId last_session_ = 1000;
};

void with_router_key(EngineConfig& config) {
    config.network_key = router_key().id();
}

}  // namespace

TEST_CASE(
    "exits are compared with a neighbour of version 1 at once, and with others once they state a state") {
    Reception r(2);
    auto newer = r.come(1);
    CHECK(r.heard(newer, Kind::exit_query) == 0);
    r.say_state(newer);
    CHECK(r.heard(newer, Kind::exit_query) == 1);
    r.say_state(newer);
    CHECK(r.heard(newer, Kind::exit_query) == 1);
    const auto older = r.come(2, {}, 1);
    CHECK(r.heard(older, Kind::digest) == 1);
}

TEST_CASE(
    "an expelled member is heard only as far as it needs to leave, and its Hello begins no comparison") {
    Reception r(3, with_router_key);
    auto expelled = r.come(1);
    CHECK(r.heard(expelled, Kind::network_digest) == 1);
    r.expel(expelled.id());
    r.come(expelled);
    CHECK(r.heard(expelled, Kind::network_digest) == 0);
    r.say(expelled, ExitQuery{});
    CHECK(r.heard(expelled, Kind::exit_answer) == 0);
    r.say(expelled, NetworkStatement{NetworkStatementKind::revocation, r.revocation(stranger(2).id())});
    CHECK_FALSE(r.engine().is_expelled(stranger(2).id()));
    // The exit of a neighbour would count, whoever else brought it.
    r.say(expelled, r.exit_of(stranger(2)));
    CHECK_FALSE(r.engine().has_tombstone(stranger(2).id()));
    CHECK(r.engine().counters().messages_ignored == 3);
    r.say(expelled, r.exit_of(expelled.who));
    CHECK(r.engine().has_tombstone(expelled.id()));
    CHECK(r.heard(expelled, Kind::receipt) == 1);
    // It is no offence, and others are answered.
    CHECK(r.engine().counters().peers_dropped == 0);
    auto other = r.come(3);
    r.say(other, ExitQuery{});
    CHECK(r.heard(other, Kind::exit_answer) == 1);
    r.say(other, r.exit_of(stranger(2)));
    CHECK(r.engine().has_tombstone(stranger(2).id()));
}

TEST_CASE("who claims a copied state publishes above all versions that the copy may have used") {
    Reception r(1);
    r.net.publish(0);
    r.net.settle();
    auto guest = r.come(1);
    const StateStatement copy{r.net.id(0), 50, StartId{{9}}, r.node().disk.starts.back().start};
    r.say_state(guest, sign_state(*r.node().identity, r.net.network(), copy));
    REQUIRE(r.node().count(EventKind::own_copy_met) == 1);
    CHECK(r.engine().own_seed()->version == SeedVersion{1});
    r.feed(ClaimState{});
    CHECK(r.engine().own_seed()->version > SeedVersion{kVersionsSkippedByRestore});
}

TEST_CASE("a node that proves to be an old copy uses no seed until neighbours have vouched anew") {
    Reception r(2);
    auto owner = r.come(1);
    r.say_state(owner);
    r.give_seed(owner, 1);
    REQUIRE(r.node().in_ensemble.contains(owner.id()));
    auto guest = r.come(2);
    const PutStart mine = r.node().disk.starts.back();
    const StateStatement newer{r.net.id(0), mine.number + 5, mine.start, mine.previous};
    r.say_state(guest, sign_state(*r.node().identity, r.net.network(), newer));
    REQUIRE(r.node().count(EventKind::own_state_old) == 1);
    CHECK(r.node().in_ensemble.empty());
    CHECK(r.engine().held_seeds().at(0).detail == describe(Admission::unvouched));
}

TEST_CASE("a peer that broke the protocol is not heard for a while, unless the operator adds it again") {
    Reception r(2);
    auto guest = r.come(1);
    REQUIRE(r.engine().established_peers() == 1);
    r.feed(Malformed{guest.session, guest.id().curve_key(), "test"});
    r.come(guest);
    CHECK(r.engine().established_peers() == 0);
    CHECK(r.engine().counters().messages_ignored == 1);
    SUBCASE("it is heard after that time") {
        r.net.run_for(kBlockFirst + 1s);
    }
    SUBCASE("it is added again") {
        r.feed(AddNeighbour{{guest.id(), std::nullopt}, false});
    }
    r.come(guest);
    CHECK(r.engine().established_peers() == 1);
}

// ---------------------------------------------------------------- removed peers

TEST_CASE("a removed peer's seed that a crash left on disk is erased at the next start, and not taken back") {
    EngineNetwork net({"a", "b"}, {{0, 1}});
    net.start();
    net.publish(1);
    net.settle();
    REQUIRE(disk_has_seed_of(net[0], net.id(1)));
    net[0].erasing_fails = true;
    net.feed(0, RemoveNeighbour{net.id(1)});
    net.settle();
    REQUIRE(disk_has_seed_of(net[0], net.id(1)));
    net[0].erasing_fails = false;
    net.crash_and_restart(0);
    CHECK_FALSE(disk_has_seed_of(net[0], net.id(1)));
    CHECK(net[0].engine->held_seeds().empty());
}

TEST_CASE("a peer that is added again gives no seed while its earlier one is still being erased") {
    Reception r(1);
    auto guest = r.come(1);
    r.give_seed(guest, 1);
    REQUIRE(disk_has_seed_of(r.node(), guest.id()));
    r.node().erasing_fails = true;
    r.feed(RemoveNeighbour{guest.id()});
    r.feed(AddNeighbour{{guest.id(), std::nullopt}, false});
    r.come(guest);
    r.announce(guest, 2, 2);
    CHECK(r.heard(guest, Kind::get) == 0);
    r.node().erasing_fails = false;
    r.net.run_for(3s);
    REQUIRE_FALSE(disk_has_seed_of(r.node(), guest.id()));
    r.give_seed(guest, 2);
    CHECK(r.heard(guest, Kind::get) == 1);
    CHECK(r.node().in_ensemble.contains(guest.id()));
}

TEST_CASE("a seed that comes while an earlier removal is still being written is erased at its owner's exit") {
    Reception r(1);
    auto guest = r.come(1);
    r.give_seed(guest, 1);
    // Removed and added again, twice: the second erasure waits for the first one.
    r.node().storage_hangs = true;
    for (int i = 0; i < 2; ++i) {
        r.feed(RemoveNeighbour{guest.id()});
        r.feed(AddNeighbour{{guest.id(), std::nullopt}, false});
    }
    r.release_one<EraseHeldSeed>();
    r.come(guest);
    r.announce(guest, 2, 2);
    r.release_one<PutAsked>();
    r.say(guest, Chunk{SeedVersion{2}, 0, Bytes(100, 1)});
    REQUIRE(r.engine().sizes().candidates == 1);
    r.release_one<EraseHeldSeed>();
    r.release_one<PutHeldSeed>();
    REQUIRE(r.node().in_ensemble.contains(guest.id()));
    r.say(guest, r.exit_of(guest.who));
    r.release_one<PutTombstone>();
    CHECK(r.erasures_waiting() == 1);
    CHECK(r.heard(guest, Kind::receipt) == 0);
}

// ---------------------------------------------------------------- what the network's key has signed

TEST_CASE("a succession is passed on at once, and whatever else the new key signed is asked for") {
    Reception r(1, with_router_key);
    const auto guest = r.come(1);
    REQUIRE(r.heard(guest, Kind::network_digest) == 1);
    r.succeed();
    CHECK(r.heard(guest, Kind::network_statement) == 1);
    CHECK(r.heard(guest, Kind::network_digest) == 2);
    r.feed(FollowNetworkKey{router_next_key().id()});
    CHECK(r.heard(guest, Kind::network_digest) == 3);
}

TEST_CASE("with a membership by a replaced key only those may come to leave that are known here") {
    Reception r(0, with_router_key);
    r.succeed();
    auto known = RouterGuest{stranger(1)};
    r.node().disk.recipients.push_back({known.id(), SeedVersion{1}, kRouterBegin});
    r.net.crash_and_restart(0);
    static_cast<void>(r.come(2, r.membership(stranger(2).id())));
    CHECK(r.engine().established_peers() == 0);
    CHECK(r.engine().counters().peers_dropped == 1);
    r.come(known, r.membership(known.id()));
    CHECK(r.engine().established_peers() == 1);
    CHECK(r.node().disk.members.empty());
    r.say(known, r.exit_of(known.who));
    CHECK(r.heard(known, Kind::receipt) == 1);
}

TEST_CASE("a replaced key introduces as many exits as nobody's key does, and the key of today any number") {
    Reception r(1, with_router_key);
    r.succeed();
    auto guest = r.come(1);
    std::uint32_t number = 100;
    const auto introduce_by = [&](const Identity& key, std::uint32_t count) {
        for (const std::uint32_t end = number + count; number < end; ++number) {
            const Identity owner = stranger(number);
            r.say(guest, r.exit_of(owner, r.membership(owner.id(), key)));
        }
    };
    introduce_by(router_key(), kMaxIntroductionsPerDay + 5);
    CHECK(r.engine().tombstones().size() == kMaxIntroductionsPerDay);
    CHECK(r.engine().counters().exits_put_off == 5);
    introduce_by(router_next_key(), 5);
    CHECK(r.engine().tombstones().size() == kMaxIntroductionsPerDay + 5);
}

TEST_CASE("the exit of a member or of an expelled owner counts whoever brings it, without a membership") {
    Reception r(1, with_router_key);
    auto member = r.come(2, r.membership(stranger(2).id()));
    REQUIRE(r.node().disk.members.size() == 1);
    r.net.crash_and_restart(0);  // which peers let themselves in is forgotten, the members are not
    r.expel(stranger(3).id());
    auto guest = r.come(1);
    for (std::uint32_t owner = 2; owner <= 4; ++owner)
        r.say(guest, r.exit_of(stranger(owner)));
    CHECK(r.engine().has_tombstone(member.id()));
    CHECK(r.engine().has_tombstone(stranger(3).id()));
    CHECK_FALSE(r.engine().has_tombstone(stranger(4).id()));  // nobody knows it
    CHECK(r.engine().counters().exits_put_off == 1);
}

TEST_CASE("members let themselves in up to a limit, and who is expelled makes room for another one") {
    Reception r(kMaxMembersFromHello, with_router_key);
    const auto come_as_member = [&](std::uint32_t number) {
        static_cast<void>(r.come(number, r.membership(stranger(number).id())));
        return r.engine().established_peers() == 1;
    };
    constexpr std::uint32_t kUnknown = kMaxMembersFromHello + 1;
    CHECK_FALSE(come_as_member(kUnknown));
    r.expel(stranger(1).id());
    CHECK(come_as_member(kUnknown + 1));
}

TEST_CASE("a newer membership of our own replaces the older one, and one with the same number does not") {
    const NodeId self = EngineNetwork({"a"}, {}).id(0);
    Reception r(0, [&](EngineConfig& config) {
        with_router_key(config);
        config.membership = sign_term_membership(router_key(), config.network,
                                                 {router_key().id(), self, 5, kRouterBegin, kRouterEnd});
    });
    const auto first = r.engine().config().membership;
    const auto same_number = sign_term_membership(
        router_key(), r.net.network(), {router_key().id(), self, 5, kRouterBegin, kRouterEnd + 1h});
    r.feed(RenewMembership{same_number});
    CHECK(r.engine().config().membership == first);
    SUBCASE("a newer one is shown, also after a restart") {
        const auto newer = r.membership(self, router_key(), 6);
        r.feed(RenewMembership{newer});
        CHECK(r.engine().config().membership == newer);
        r.net.crash_and_restart(0);
        CHECK(r.engine().config().membership == newer);
    }
    SUBCASE("a stored one that no key of the network signed is not shown") {
        r.node().disk.own_membership = PutOwnMembership{r.membership(self, stranger(7), 6)};
        r.net.crash_and_restart(0);
        CHECK(r.engine().config().membership == first);
    }
}

// ---------------------------------------------------------------- places

TEST_CASE("who gains a place is asked for its seed at once") {
    Reception r(2, [](EngineConfig& config) { config.seed_room.places = 1; });
    auto first = r.come(1);
    auto second = r.come(2);
    r.give_seed(first, 1);
    REQUIRE(r.node().in_ensemble.contains(first.id()));
    const auto before = r.heard(second, Kind::hello);
    r.say(first, r.exit_of(first.who));
    CHECK(r.heard(second, Kind::hello) == before + 1);  // its answer comes with an announcement
    r.give_seed(second, 1);
    CHECK(r.node().in_ensemble == std::set<NodeId>{second.id()});
}

TEST_CASE("a seed without a place is erased at the next start") {
    std::size_t places = 2;
    Reception r(2, [&](EngineConfig& config) { config.seed_room.places = places; });
    for (std::uint32_t number = 1; number <= 2; ++number) {
        auto guest = r.come(number);
        r.give_seed(guest, 1);
    }
    REQUIRE(r.node().disk.held_seeds.size() == 2);
    places = 1;
    r.net.crash_and_restart(0);
    CHECK(disk_has_seed_of(r.node(), stranger(1).id()));
    CHECK_FALSE(disk_has_seed_of(r.node(), stranger(2).id()));
}
