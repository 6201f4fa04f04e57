#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parts.hpp"

using namespace unlearn::testing;

namespace {

struct OrderedWrites {
    std::string name;
    StoreOp first;
    StoreOp then;
};

/// What storage has been asked to do.
std::vector<Persist> ask_for(Parts& parts, const StoreOp& first, const StoreOp& then) {
    parts.writes.persist({first}, after_write::Nothing{});
    parts.writes.persist({then}, after_write::Nothing{});
    return parts.take<Persist>();
}

}  // namespace

TEST_CASE("what replaces or erases an earlier record is stored after it, also when the earlier write fails") {
    const NodeId a = stranger(20).id();
    const NodeId b = stranger(21).id();
    const std::vector<OrderedWrites> cases{
        {"a lease never follows the erasure of its seed", EraseHeldSeed{a}, PutHeldLease{a, 1, {}}},
        {"a lease is erased with its seed", PutHeldLease{a, 1, {}}, EraseHeldSeed{a}},
        {"our own seed is not stored after our exit", PutOwnSeed{{}, {}, {}}, PutExiting{{}, false}},
        {"a member that was dropped does not come back", PutMember{a, 1, {}}, DropMember{a}},
        {"a member that came back is not dropped", DropMember{a}, PutMember{a, 2, {}}},
        {"restored after cleared", ClearRestored{}, SetRestored{}},
        {"cleared after restored", SetRestored{}, ClearRestored{}},
        {"the decision about a copy", PutCopied{true}, PutCopied{false}},
        {"the operator's last choice of a key", PutFollowedKey{a}, PutFollowedKey{b}},
        {"our newest membership", PutOwnMembership{{Bytes{1}, {}}}, PutOwnMembership{{Bytes{2}, {}}}},
    };
    for (const auto& one : cases) {
        CAPTURE(one.name);
        Parts parts;
        auto asked = ask_for(parts, one.first, one.then);
        REQUIRE(asked.size() == 1);
        const Ticket ticket = asked[0].ticket;
        CHECK(asked[0].ops.at(0).index() == one.first.index());
        CHECK_FALSE(parts.writes.fail(StoreFailed{ticket, "disk full"}));
        CHECK(parts.take<Persist>().empty());
        parts.pass(kStoreRetryFirst);
        parts.writes.tick();
        asked = parts.take<Persist>();
        REQUIRE(asked.size() == 1);
        CHECK(asked[0].ticket == ticket);
        CHECK(parts.writes.take(Stored{ticket}));
        asked = parts.take<Persist>();
        REQUIRE(asked.size() == 1);
        CHECK(asked[0].ops.at(0).index() == one.then.index());
    }
}

TEST_CASE("writes about different owners, or of records that only grow, do not wait for each other") {
    const NodeId a = stranger(20).id();
    const NodeId b = stranger(21).id();
    const std::vector<OrderedWrites> cases{
        {"leases of two owners", PutHeldLease{a, 1, {}}, PutHeldLease{b, 1, {}}},
        {"two members", PutMember{a, 1, {}}, DropMember{b}},
        {"a key and our membership", PutFollowedKey{a}, PutOwnMembership{{Bytes{1}, {}}}},
        {"two flags of our state", SetRestored{}, PutCopied{true}},
        {"what was asked for", PutAsked{a, SeedVersion{1}}, PutAsked{a, SeedVersion{2}}},
        {"our leases", PutOwnLease{1, {}}, PutOwnLease{2, {}}},
        {"two revocations", PutRevocation{a, {}, {}}, PutRevocation{a, {}, {}}},
    };
    for (const auto& one : cases) {
        CAPTURE(one.name);
        Parts parts;
        CHECK(ask_for(parts, one.first, one.then).size() == 2);
    }
}

TEST_CASE("what the network's key or the operator decided, and what others may rely on, is never given up") {
    const NodeId a = stranger(20).id();
    const std::vector<StoreOp> kept{
        PutRevocation{a, {}, {}},
        PutSuccession{{}},
        PutMember{a, 1, {}},
        DropMember{a},
        PutFollowedKey{a},
        PutOwnMembership{{}},
        PutHolderList{{}},
        PutStart{{}, {}, 1, false},
        SetRestored{},
        PutCopied{true},
    };
    for (const StoreOp& op : kept) {
        CAPTURE(op.index());
        Parts parts;
        parts.writes.persist({op}, after_write::Nothing{});
        const Ticket ticket = parts.take<Persist>().at(0).ticket;
        CHECK_FALSE(parts.writes.fail(StoreFailed{ticket, "no such column", true}));
        CHECK(parts.take_events() == std::vector{EventKind::store_impossible});
        CHECK(parts.writes.size() == 1);
    }
}
