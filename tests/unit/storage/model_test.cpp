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
    std::map<NodeId, SignedBytes> tombstones;
    std::map<NodeId, SeedVersion> recipients;
    std::map<NodeId, SignedBytes> receipts;
    std::map<NodeId, PutHeldSeed> held;
    std::optional<PutOwnSeed> own;
    std::optional<SignedBytes> exiting;

    bool take(const PutTombstone& op) { return tombstones.try_emplace(op.owner, op.notice), true; }
    bool take(const PutRecipient& op) {
        auto& version = recipients.try_emplace(op.peer, op.version).first->second;
        version = std::max(version, op.version);
        return true;
    }
    bool take(const PutReceipt& op) { return receipts.try_emplace(op.holder, op.receipt), true; }
    bool take(const PutHeldSeed& op) {
        if (tombstones.contains(op.owner)) return false;
        const auto present = held.find(op.owner);
        if (present == held.end() || present->second.version < op.version) held[op.owner] = op;
        return true;
    }
    bool take(const EraseHeldSeed& op) { return held.erase(op.owner), true; }
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
            RC_ASSERT(one.notice == (tombstone++)->second);
        }
        RC_ASSERT(state.recipients.size() == recipients.size());
        auto recipient = recipients.begin();
        for (const auto& one : state.recipients) {
            RC_ASSERT(one.peer == recipient->first);
            RC_ASSERT(one.version == (recipient++)->second);
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
        RC_ASSERT(state.exiting.has_value() == exiting.has_value());
        if (exiting) RC_ASSERT(state.exiting->notice == *exiting);
    }
};

StoreOp any_op() {
    // Few nodes and versions, so that operations meet.
    const auto who = *rc::gen::inRange<std::uint32_t>(0, 6);
    const auto version = *rc::gen::inRange<std::uint64_t>(1, 6);
    const auto text = "statement " + std::to_string(version);
    const auto size = *rc::gen::element<std::size_t>(1, 700, 4096, 9000, 40000);
    switch (*rc::gen::inRange(0, 9)) {
        case 0:
            return tombstone(who, text);
        case 1:
            return PutRecipient{node(who), SeedVersion{version}};
        case 2:
            return PutReceipt{node(who), statement(text)};
        case 3:
            return PutExiting{statement(text)};
        case 4: {
            const auto seed = held(100, version, size);
            return PutOwnSeed{seed.version, seed.record, seed.payload};
        }
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
