#include "node/storage/storable.hpp"

#include <string>
#include <variant>

#include "protocol/limits.hpp"

namespace unlearn::storage {

using namespace protocol;

namespace {

Result<void> check(const NodeId& subject, const SignedBytes& statement) {
    if (statement.bytes.empty() || statement.bytes.size() > kMaxBody)
        return fail(ErrorCode::not_storable, "signed statement of " + std::to_string(statement.bytes.size()) +
                                                 " bytes about " + subject.short_text() +
                                                 " cannot be stored");
    return {};
}

Result<void> check(SeedVersion version) {
    if (static_cast<std::uint64_t>(version) > kMaxSeedVersion)
        return fail(ErrorCode::not_storable, "seed version beyond 63 bits cannot be stored");
    return {};
}

Result<void> check_lease_number(std::uint64_t number) {
    if (number > static_cast<std::uint64_t>(INT64_MAX))
        return fail(ErrorCode::not_storable, "lease number beyond 63 bits cannot be stored");
    return {};
}

Result<void> check(const NodeId& owner, SeedVersion version, const SignedBytes& record,
                   const SharedSeedBytes& payload) {
    if (auto good = check(version); !good) return good;
    if (auto good = check(owner, record); !good) return good;
    const std::size_t size = payload ? payload->size() : 0;
    if (size < 1 || size > kMaxSeedBytes)
        return fail(ErrorCode::not_storable, "seed of " + std::to_string(size) + " bytes cannot be stored");
    return {};
}

struct Visitor {
    Result<void> operator()(const PutTombstone& op) const { return check(op.owner, op.notice); }
    Result<void> operator()(const PutRecipient& op) const { return check(op.version); }
    Result<void> operator()(const PutReceipt& op) const { return check(op.holder, op.receipt); }
    Result<void> operator()(const PutHeldSeed& op) const {
        return check(op.owner, op.version, op.record, op.payload);
    }
    Result<void> operator()(const EraseHeldSeed&) const { return {}; }
    Result<void> operator()(const PutOwnSeed& op) const {
        return check(NodeId{}, op.version, op.record, op.payload);
    }
    Result<void> operator()(const PutExiting& op) const { return check(NodeId{}, op.notice); }
    Result<void> operator()(const PutOwnLease& op) const { return check_lease_number(op.number); }
    Result<void> operator()(const PutHeldLease& op) const { return check_lease_number(op.number); }
    Result<void> operator()(const PutLeftReceipt& op) const { return check(op.owner, op.receipt); }
    Result<void> operator()(const PutEquivocation& op) const {
        if (auto good = check(op.version); !good) return good;
        if (auto good = check(op.owner, op.first); !good) return good;
        return check(op.owner, op.second);
    }
    Result<void> operator()(const PutHolderList& op) const { return check(NodeId{}, op.list); }
    Result<void> operator()(const PutPeerList& op) const { return check(op.owner, op.list); }
    Result<void> operator()(const PutAsked& op) const { return check(op.version); }
    Result<void> operator()(const PutStart&) const { return {}; }
    Result<void> operator()(const PutPeerState& op) const { return check(op.peer, op.statement); }
    Result<void> operator()(const SetRestored&) const { return {}; }
    Result<void> operator()(const PutCopied&) const { return {}; }
    Result<void> operator()(const PutPeer&) const { return {}; }
    Result<void> operator()(const PutRetired&) const { return {}; }
    Result<void> operator()(const ClearRestored&) const { return {}; }
    Result<void> operator()(const PutRevocation& op) const {
        if (auto good = check(op.erased); !good) return good;
        return check(op.member, op.revocation);
    }
    Result<void> operator()(const PutSuccession& op) const { return check(NodeId{}, op.succession); }
    Result<void> operator()(const PutMember& op) const { return check(op.member, op.membership); }
    Result<void> operator()(const DropMember&) const { return {}; }
    Result<void> operator()(const PutFollowedKey&) const { return {}; }
    Result<void> operator()(const PutOwnMembership& op) const { return check(NodeId{}, op.membership); }
};

}  // namespace

Result<void> check_storable(const StoreOp& op) {
    return std::visit(Visitor{}, op);
}

}  // namespace unlearn::storage
