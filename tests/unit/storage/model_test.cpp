#include <map>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

/// What the store promises, in ordinary containers.
struct Model {
    std::map<NodeId, PutTombstone> tombstones;
    std::map<NodeId, PutRecipient> recipients;
    std::map<NodeId, SignedBytes> receipts;
    std::map<NodeId, PutHeldSeed> held;
    std::optional<PutOwnSeed> own;
    std::optional<SignedBytes> exiting;
    std::map<NodeId, PutHeldLease> leases;
    std::optional<PutOwnLease> own_lease;
    std::map<NodeId, SignedBytes> left;
    std::map<std::pair<NodeId, SeedVersion>, PutEquivocation> equivocations;
    std::vector<PutPeer> peers;
    std::optional<std::string> retired;
    bool restored = false;
    bool ever_restored = false;
    bool copied = false;
    std::optional<SignedBytes> holder_list;
    std::map<NodeId, std::vector<SignedBytes>> peer_lists;
    std::map<NodeId, SeedVersion> asked;
    std::map<StartId, std::uint64_t> starts;
    std::map<NodeId, PutPeerState> peer_states;
    std::map<NodeId, PutRevocation> revocations;
    std::vector<SignedBytes> successions;
    std::map<NodeId, PutMember> members;
    std::optional<NodeId> followed_key;
    std::optional<SignedBytes> own_membership;

    bool take(const PutTombstone& op) { return tombstones.try_emplace(op.owner, op), true; }
    bool take(const PutRecipient& op) {
        auto& known = recipients.try_emplace(op.peer, op).first->second;
        known.version = std::max(known.version, op.version);
        known.lease_until = std::max(known.lease_until, op.lease_until);
        return true;
    }
    bool take(const PutReceipt& op) { return receipts.insert_or_assign(op.holder, op.receipt), true; }
    bool take(const PutHeldSeed& op) {
        if (tombstones.contains(op.owner) || revocations.contains(op.owner)) return false;
        const auto present = held.find(op.owner);
        if (present != held.end() && present->second.version >= op.version) return true;
        leases.erase(op.owner);
        held[op.owner] = op;
        return true;
    }
    bool take(const EraseHeldSeed& op) { return held.erase(op.owner), leases.erase(op.owner), true; }
    bool take(const PutHeldLease& op) {
        if (!held.contains(op.owner)) return true;
        auto& known = leases.try_emplace(op.owner, op).first->second;
        if (known.number < op.number) known = op;
        return true;
    }
    bool take(const PutOwnLease& op) {
        if (!own_lease || own_lease->number < op.number) own_lease = op;
        return true;
    }
    bool take(const PutLeftReceipt& op) { return left.try_emplace(op.owner, op.receipt), true; }
    bool take(const PutEquivocation& op) {
        return equivocations.try_emplace({op.owner, op.version}, op), true;
    }
    bool take(const PutPeer& op) {
        const auto known =
            std::find_if(peers.begin(), peers.end(), [&](const PutPeer& one) { return one.peer == op.peer; });
        if (known == peers.end() || (known->former && !op.former)) {
            if (known != peers.end()) peers.erase(known);
            peers.push_back(op);
        } else {
            *known = op;
        }
        return true;
    }
    bool take(const PutRetired& op) {
        if (!retired) retired = op.reason;
        return true;
    }
    bool take(const SetRestored&) { return restored = ever_restored = true; }
    bool take(const ClearRestored&) { return restored = false, true; }
    bool take(const PutCopied& op) { return copied = op.copied, true; }
    bool take(const PutHolderList& op) {
        if (!holder_list) holder_list = op.list;
        return true;
    }
    bool take(const PutPeerList& op) {
        auto& lists = peer_lists[op.owner];
        const bool is_new = std::find(lists.begin(), lists.end(), op.list) == lists.end();
        if (is_new && lists.size() < 2) lists.push_back(op.list);
        return true;
    }
    bool take(const PutAsked& op) {
        auto& version = asked[op.owner];
        version = std::max(version, op.version);
        return true;
    }
    bool take(const PutStart& op) {
        auto& number = starts[op.start];
        number = std::max(number, op.number);
        return true;
    }
    bool take(const PutPeerState& op) {
        auto& known = peer_states.try_emplace(op.peer, op).first->second;
        if (known.number < op.number) known = op;
        return true;
    }
    bool take(const PutRevocation& op) { return revocations.try_emplace(op.member, op), true; }
    bool take(const PutSuccession& op) {
        for (const auto& known : successions)
            if (known.bytes == op.succession.bytes) return true;
        return successions.push_back(op.succession), true;
    }
    bool take(const PutMember& op) { return members.insert_or_assign(op.member, op), true; }
    bool take(const DropMember& op) { return members.erase(op.member), true; }
    bool take(const PutFollowedKey& op) { return followed_key = op.key, true; }
    bool take(const PutOwnMembership& op) { return own_membership = op.membership, true; }
    bool take(const PutOwnSeed& op) {
        if (!own || own->version < op.version) own = op;
        return true;
    }
    bool take(const PutExiting& op) {
        if (!exiting) exiting = op.notice;
        return true;
    }

    /// All of the batch, or nothing and false.
    bool apply(const std::vector<StoreOp>& ops) {
        Model next = *this;
        for (const auto& op : ops)
            if (!std::visit([&](const auto& one) { return next.take(one); }, op)) return false;
        *this = std::move(next);
        return true;
    }

    void must_equal(const LoadedState& state) const {
        RC_ASSERT(state.tombstones.size() == tombstones.size());
        auto tombstone = tombstones.begin();
        for (const auto& one : state.tombstones) {
            RC_ASSERT(one.owner == tombstone->first);
            RC_ASSERT(one.notice == tombstone->second.notice);
            RC_ASSERT(one.erased == (tombstone++)->second.erased);
        }
        RC_ASSERT(state.recipients.size() == recipients.size());
        auto recipient = recipients.begin();
        for (const auto& one : state.recipients) {
            RC_ASSERT(one.peer == recipient->first);
            RC_ASSERT(one.version == recipient->second.version);
            RC_ASSERT(one.lease_until == (recipient++)->second.lease_until);
        }
        RC_ASSERT(state.receipts.size() == receipts.size());
        auto receipt = receipts.begin();
        for (const auto& one : state.receipts) {
            RC_ASSERT(one.holder == receipt->first);
            RC_ASSERT(one.receipt == (receipt++)->second);
        }
        RC_ASSERT(state.held_seeds.size() == held.size());
        auto seed = held.begin();
        for (const auto& one : state.held_seeds) {
            const auto& expected = (seed++)->second;
            RC_ASSERT(one.owner == expected.owner);
            RC_ASSERT(one.version == expected.version);
            RC_ASSERT(one.record == expected.record);
            RC_ASSERT(std::ranges::equal(one.payload->view(), expected.payload->view()));
        }
        RC_ASSERT(state.own_seed.has_value() == own.has_value());
        if (own) {
            RC_ASSERT(state.own_seed->version == own->version);
            RC_ASSERT(std::ranges::equal(state.own_seed->payload->view(), own->payload->view()));
        }
        RC_ASSERT(state.held_leases.size() == leases.size());
        auto lease = leases.begin();
        for (const auto& one : state.held_leases) {
            RC_ASSERT(one.owner == lease->first);
            RC_ASSERT(one.number == lease->second.number);
            RC_ASSERT(one.not_after == (lease++)->second.not_after);
        }
        RC_ASSERT(state.own_lease.has_value() == own_lease.has_value());
        if (own_lease) RC_ASSERT(state.own_lease->number == own_lease->number);
        if (own_lease) RC_ASSERT(state.own_lease->not_after == own_lease->not_after);
        RC_ASSERT(state.left_receipts.size() == left.size());
        auto gone = left.begin();
        for (const auto& one : state.left_receipts) {
            RC_ASSERT(one.owner == gone->first);
            RC_ASSERT(one.receipt == (gone++)->second);
        }
        RC_ASSERT(state.equivocations.size() == equivocations.size());
        auto proof = equivocations.begin();
        for (const auto& one : state.equivocations) {
            RC_ASSERT(std::pair(one.owner, one.version) == proof->first);
            RC_ASSERT(one.first == proof->second.first);
            RC_ASSERT(one.second == (proof++)->second.second);
        }
        RC_ASSERT(state.peers.size() == peers.size());
        auto peer = peers.begin();
        for (const auto& one : state.peers) {
            RC_ASSERT(one.peer == peer->peer);
            RC_ASSERT(one.endpoint == peer->endpoint);
            RC_ASSERT(one.former == (peer++)->former);
        }
        RC_ASSERT(state.retired.has_value() == retired.has_value());
        if (retired) RC_ASSERT(state.retired->reason == *retired);
        must_equal_network(state);
        RC_ASSERT(state.exiting.has_value() == exiting.has_value());
        if (exiting) RC_ASSERT(state.exiting->notice == *exiting);
        check_newer_tables(state);
    }
    void check_newer_tables(const LoadedState& state) const {
        RC_ASSERT(state.restored == restored);
        RC_ASSERT(state.ever_restored == ever_restored);
        RC_ASSERT(state.copied == copied);
        RC_ASSERT(state.holder_list.has_value() == holder_list.has_value());
        if (holder_list) RC_ASSERT(state.holder_list->list == *holder_list);
        std::map<NodeId, std::vector<SignedBytes>> lists;
        for (const auto& one : state.peer_lists)
            lists[one.owner].push_back(one.list);
        RC_ASSERT(lists == peer_lists);
        RC_ASSERT(state.asked.size() == asked.size());
        for (const auto& one : state.asked)
            RC_ASSERT(asked.at(one.owner) == one.version);
        RC_ASSERT(state.starts.size() == starts.size());
        std::uint64_t number = 0;
        for (const auto& one : state.starts) {
            RC_ASSERT(starts.at(one.start) == one.number);
            RC_ASSERT(one.number >= number);
            number = one.number;
        }
        RC_ASSERT(state.peer_states.size() == peer_states.size());
        for (const auto& one : state.peer_states) {
            RC_ASSERT(peer_states.at(one.peer).number == one.number);
            RC_ASSERT(peer_states.at(one.peer).statement == one.statement);
        }
    }

    void must_equal_network(const LoadedState& state) const {
        RC_ASSERT(state.revocations.size() == revocations.size());
        auto revocation = revocations.begin();
        for (const auto& one : state.revocations) {
            RC_ASSERT(one.member == revocation->first);
            RC_ASSERT(one.revocation == revocation->second.revocation);
            RC_ASSERT(one.erased == (revocation++)->second.erased);
        }
        RC_ASSERT(state.successions.size() == successions.size());
        auto succession = successions.begin();
        for (const auto& one : state.successions)
            RC_ASSERT(one.succession == *succession++);
        RC_ASSERT(state.members.size() == members.size());
        for (std::size_t i = 0; i < state.members.size(); ++i) {
            const auto& one = state.members[i];
            RC_ASSERT(members.at(one.member).admitted == one.admitted);
            RC_ASSERT(members.at(one.member).membership == one.membership);
            if (i > 0) RC_ASSERT(state.members[i - 1].admitted <= one.admitted);
        }
        RC_ASSERT(state.followed_key.has_value() == followed_key.has_value());
        if (followed_key) RC_ASSERT(state.followed_key->key == *followed_key);
        RC_ASSERT(state.own_membership.has_value() == own_membership.has_value());
        if (own_membership) RC_ASSERT(state.own_membership->membership == *own_membership);
    }
};

StoreOp any_op() {
    // Few nodes and versions, so that operations meet.
    const auto who = *rc::gen::inRange<std::uint32_t>(0, 6);
    const auto version = *rc::gen::inRange<std::uint64_t>(1, 6);
    const auto text = "statement " + std::to_string(version);
    const auto size = *rc::gen::element<std::size_t>(1, 700, 4096, 9000, 40000);
    const WallTime until{std::chrono::seconds{1'000 + version}};
    switch (*rc::gen::inRange(0, 30)) {
        case 0:
            return tombstone(who, text);
        case 1:
            return PutRecipient{node(who), SeedVersion{version},
                                WallTime{std::chrono::seconds{*rc::gen::inRange(0, 5)}}};
        case 2:
            return PutReceipt{node(who), statement(text)};
        case 3:
            return PutExiting{statement(text)};
        case 4: {
            const auto seed = held(100, version, size);
            return PutOwnSeed{seed.version, seed.record, seed.payload};
        }
        case 7:
            return PutOwnLease{version, until};
        case 8:
        case 9:
            return PutHeldLease{node(who), version, until};
        case 10:
            return PutLeftReceipt{node(who), statement(text)};
        case 11:
            return PutEquivocation{node(who), SeedVersion{version}, statement(text), statement(text + " 2")};
        case 12:
            return PutPeer{node(who), version == 1 ? std::nullopt : std::optional("tcp://" + text),
                           version % 2 == 0};
        case 13:
            return PutRetired{text};
        case 14:
            return PutHolderList{statement(text)};
        case 15:
            return PutPeerList{node(who), statement(text)};
        case 16:
            return PutAsked{node(who), SeedVersion{version}};
        case 17: {
            StartId start;
            start.value.fill(static_cast<std::uint8_t>(who + 1));
            return PutStart{start, {}, version};
        }
        case 18:
            return PutPeerState{node(who), version, statement(text)};
        case 19:
            return version % 2 == 0 ? StoreOp{SetRestored{}} : StoreOp{ClearRestored{}};
        case 20:
            return PutCopied{version % 2 == 0};
        case 21:
            return PutRevocation{node(who), statement(text), SeedVersion{version}};
        case 22:
            return PutSuccession{statement(text)};
        case 23:
            return PutMember{node(who), version, statement(text)};
        case 24:
            return DropMember{node(who)};
        case 25:
            return PutFollowedKey{node(who)};
        case 26:
            return PutOwnMembership{statement(text)};
        case 5:
        case 6:
            return EraseHeldSeed{node(who)};
        default:
            return held(who, version, size);
    }
}

}  // namespace

TEST_CASE("any sequence of batches leaves what a simple model of them says, also after restarts") {
    const bool held_true = rc::check([] {
        const TemporaryFolder folder;
        auto store = open(folder.path());
        Model model;
        const auto batches = *rc::gen::inRange(1, 15);
        for (int i = 0; i < batches; ++i) {
            std::vector<StoreOp> ops;
            const auto count = *rc::gen::inRange(0, 6);
            for (int j = 0; j < count; ++j)
                ops.push_back(any_op());
            RC_ASSERT(store->apply(ops).has_value() == model.apply(ops));
            if (*rc::gen::inRange(0, 4) == 0) RC_ASSERT(store->settle().has_value());
            if (*rc::gen::inRange(0, 4) == 0) {
                store.reset();
                store = open(folder.path());
            }
            model.must_equal(load(*store));
        }
    });
    CHECK(held_true);
}
