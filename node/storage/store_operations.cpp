#include <algorithm>
#include <string>

#include "node/storage/store_statements.hpp"
#include "protocol/limits.hpp"

// What each operation changes in the database. The store runs them in a transaction.
namespace unlearn::storage {

using namespace protocol;

namespace {

std::int64_t stored(SeedVersion version) {
    return static_cast<std::int64_t>(version);
}

std::int64_t stored(WallTime time) {
    return std::max<std::int64_t>(0, time.time_since_epoch().count());
}

ByteView view_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

Result<void> Store::carry_out(const PutTombstone& op) {
    return run_logged(statements_->put_tombstone.bind(1, op.owner.view())
                          .bind(2, op.notice.bytes)
                          .bind(3, op.notice.signature.view())
                          .bind(4, stored(op.erased)),
                      LogKind::tombstone, op.owner);
}

Result<void> Store::carry_out(const PutRecipient& op) {
    Statements& s = *statements_;
    const auto known = s.recipient_version.bind(1, op.peer.view()).step();
    if (!known) return tl::unexpected(known.error());
    // A longer lease of the same seed is not logged.
    const bool news = !*known || s.recipient_version.integer(0) < stored(op.version);
    s.recipient_version.reset();
    auto put = s.put_recipient.bind(1, op.peer.view())
                   .bind(2, stored(op.version))
                   .bind(3, stored(op.lease_until))
                   .run();
    if (!put || !news) return put;
    return log_.append(LogKind::recipient, op.peer, static_cast<std::uint64_t>(op.version));
}

Result<void> Store::carry_out(const PutReceipt& op) {
    return run_logged(statements_->put_receipt.bind(1, op.holder.view())
                          .bind(2, op.receipt.bytes)
                          .bind(3, op.receipt.signature.view()),
                      LogKind::receipt, op.holder);
}

Result<void> Store::carry_out(const PutHeldSeed& op) {
    Statements& s = *statements_;
    const auto buried = s.has_tombstone.bind(1, op.owner.view()).step();
    if (!buried) return tl::unexpected(buried.error());
    s.has_tombstone.reset();
    // The engine's gate never lets this happen. Should it fail, the disk still holds no seed of an owner who
    // left.
    if (*buried)
        return fail(ErrorCode::not_storable, "seed of " + op.owner.short_text() + ", who has left, refused");
    const auto expelled = s.has_revocation.bind(1, op.owner.view()).step();
    if (!expelled) return tl::unexpected(expelled.error());
    s.has_revocation.reset();
    if (*expelled)
        return fail(ErrorCode::not_storable,
                    "seed of " + op.owner.short_text() + ", who is expelled, refused");
    const auto held = s.held_version.bind(1, op.owner.view()).step();
    if (!held) return tl::unexpected(held.error());
    const bool keep = *held && s.held_version.integer(0) >= stored(op.version);
    s.held_version.reset();
    if (keep) return {};
    if (*held)
        if (auto erased = carry_out(EraseHeldSeed{op.owner}); !erased) return erased;
    const Digest digest = digest_of(op.payload->view());
    auto inserted = s.put_held_seed.bind(1, op.owner.view())
                        .bind(2, stored(op.version))
                        .bind(3, op.record.bytes)
                        .bind(4, op.record.signature.view())
                        .bind(5, digest.view())
                        .bind_zeros(6, schema::kPayloadLead + op.payload->size())
                        .run();
    if (!inserted) return inserted;
    auto written = connection_->write_blob("held_seeds", "payload", connection_->last_row(),
                                           schema::kPayloadLead, op.payload->view());
    if (!written) return written;
    return log_.append(LogKind::seed_installed, op.owner, static_cast<std::uint64_t>(op.version));
}

Result<void> Store::carry_out(const EraseHeldSeed& op) {
    // Set it even when there is no row, because a failed install may have left bytes in the log.
    erasing_ = true;
    if (auto erased = statements_->erase_held_lease.bind(1, op.owner.view()).run(); !erased) return erased;
    Statements& s = *statements_;
    const auto held = s.held_version.bind(1, op.owner.view()).step();
    if (!held) return tl::unexpected(held.error());
    const auto version = *held ? static_cast<std::uint64_t>(s.held_version.integer(0)) : 0;
    s.held_version.reset();
    return run_logged(s.erase_held_seed.bind(1, op.owner.view()), LogKind::seed_erased, op.owner, version);
}

Result<void> Store::carry_out(const PutOwnSeed& op) {
    Statements& s = *statements_;
    const auto present = s.own_version.step();
    if (!present) return tl::unexpected(present.error());
    const bool keep = *present && s.own_version.integer(0) >= stored(op.version);
    s.own_version.reset();
    if (keep) return {};
    if (*present) {
        // An older version may have been replaced because a data record was deleted, so it is erased like a
        // peer's seed.
        erasing_ = true;
        if (auto erased = s.erase_own_seed.run(); !erased) return erased;
    }
    const Digest digest = digest_of(op.payload->view());
    auto inserted = s.put_own_seed.bind(1, stored(op.version))
                        .bind(2, op.record.bytes)
                        .bind(3, op.record.signature.view())
                        .bind(4, digest.view())
                        .bind_zeros(5, schema::kPayloadLead + op.payload->size())
                        .run();
    if (!inserted) return inserted;
    if (auto raised = s.raise_own_version.bind(1, stored(op.version)).run(); !raised) return raised;
    auto written =
        connection_->write_blob("own_seed", "payload", 1, schema::kPayloadLead, op.payload->view());
    if (!written) return written;
    return log_.append(LogKind::seed_published, std::nullopt, static_cast<std::uint64_t>(op.version));
}

Result<void> Store::carry_out(const PutExiting& op) {
    return run_logged(statements_->put_exiting.bind(1, op.notice.bytes)
                          .bind(2, op.notice.signature.view())
                          .bind(3, std::int64_t{op.met ? 1 : 0}),
                      LogKind::exit_begun, std::nullopt);
}

Result<void> Store::carry_out(const PutOwnLease& op) {
    return statements_->put_own_lease.bind(1, static_cast<std::int64_t>(op.number))
        .bind(2, stored(op.not_after))
        .run();
}

Result<void> Store::carry_out(const PutHeldLease& op) {
    return statements_->put_held_lease.bind(1, op.owner.view())
        .bind(2, static_cast<std::int64_t>(op.number))
        .bind(3, stored(op.not_after))
        .run();
}

Result<void> Store::carry_out(const PutLeftReceipt& op) {
    return run_logged(statements_->put_left_receipt.bind(1, op.owner.view())
                          .bind(2, op.receipt.bytes)
                          .bind(3, op.receipt.signature.view()),
                      LogKind::left_receipt, op.owner);
}

Result<void> Store::carry_out(const PutEquivocation& op) {
    return run_logged(statements_->put_equivocation.bind(1, op.owner.view())
                          .bind(2, stored(op.version))
                          .bind(3, op.first.bytes)
                          .bind(4, op.first.signature.view())
                          .bind(5, op.second.bytes)
                          .bind(6, op.second.signature.view())
                          .bind(7, static_cast<std::int64_t>(kMaxEquivocationsKept)),
                      LogKind::equivocation, op.owner, static_cast<std::uint64_t>(op.version));
}

Result<void> Store::carry_out(const PutPeer& op) {
    return run_logged(statements_->put_peer.bind(1, op.peer.view())
                          .bind(2, view_of(op.endpoint.value_or("")))
                          .bind(3, std::int64_t{op.former ? 1 : 0}),
                      op.former ? LogKind::peer_removed : LogKind::peer_added, op.peer);
}

Result<void> Store::carry_out(const PutRetired& op) {
    return run_logged(statements_->put_retired.bind(1, view_of(op.reason)), LogKind::retired, std::nullopt);
}

Result<void> Store::carry_out(const ClearRestored&) {
    return statements_->clear_restored.run();
}

Result<void> Store::carry_out(const PutHolderList& op) {
    return statements_->put_holder_list.bind(1, op.list.bytes).bind(2, op.list.signature.view()).run();
}

Result<void> Store::carry_out(const PutPeerList& op) {
    return statements_->put_peer_list.bind(1, op.owner.view())
        .bind(2, op.list.bytes)
        .bind(3, op.list.signature.view())
        .run();
}

Result<void> Store::carry_out(const PutAsked& op) {
    return statements_->put_asked.bind(1, op.owner.view()).bind(2, stored(op.version)).run();
}

Result<void> Store::carry_out(const PutStart& op) {
    return statements_->put_start.bind(1, op.start.view())
        .bind(2, op.previous.view())
        .bind(3, static_cast<std::int64_t>(op.number))
        .bind(4, std::int64_t{op.seen_by_others ? 1 : 0})
        .run();
}

Result<void> Store::carry_out(const PutPeerState& op) {
    return statements_->put_peer_state.bind(1, op.peer.view())
        .bind(2, static_cast<std::int64_t>(op.number))
        .bind(3, op.statement.bytes)
        .bind(4, op.statement.signature.view())
        .run();
}

Result<void> Store::carry_out(const SetRestored&) {
    return statements_->set_restored.run();
}

Result<void> Store::carry_out(const PutCopied& op) {
    return statements_->put_copied.bind(1, std::int64_t{op.copied ? 1 : 0}).run();
}

Result<void> Store::carry_out(const PutRevocation& op) {
    return run_logged(statements_->put_revocation.bind(1, op.member.view())
                          .bind(2, op.revocation.bytes)
                          .bind(3, op.revocation.signature.view())
                          .bind(4, stored(op.erased)),
                      LogKind::expelled, op.member);
}

Result<void> Store::carry_out(const PutSuccession& op) {
    return run_logged(
        statements_->put_succession.bind(1, op.succession.bytes).bind(2, op.succession.signature.view()),
        LogKind::succession, std::nullopt);
}

Result<void> Store::carry_out(const PutMember& op) {
    return statements_->put_member.bind(1, op.member.view())
        .bind(2, static_cast<std::int64_t>(op.admitted))
        .bind(3, op.membership.bytes)
        .bind(4, op.membership.signature.view())
        .run();
}

Result<void> Store::carry_out(const DropMember& op) {
    return statements_->drop_member.bind(1, op.member.view()).run();
}

Result<void> Store::carry_out(const PutFollowedKey& op) {
    return statements_->put_followed_key.bind(1, op.key.view()).run();
}

Result<void> Store::carry_out(const PutOwnMembership& op) {
    return statements_->put_own_membership.bind(1, op.membership.bytes)
        .bind(2, op.membership.signature.view())
        .run();
}

}  // namespace unlearn::storage
