#pragma once

#include <utility>

#include "node/storage/schema.hpp"
#include "node/storage/sqlite.hpp"
#include "node/storage/store.hpp"

namespace unlearn::storage {

/// The statements are prepared once, so that a batch costs little more than its writes.
struct Store::Statements {
    sqlite::Statement begin, commit, rollback;
    sqlite::Statement put_tombstone, has_tombstone, recipient_version, put_recipient, put_receipt,
        put_exiting;
    sqlite::Statement held_version, erase_held_seed, erase_held_row, put_held_seed;
    sqlite::Statement own_version, erase_own_seed, put_own_seed;
    sqlite::Statement clear_restored, raise_own_version, put_own_lease, put_held_lease, erase_held_lease,
        erase_stray_leases;
    sqlite::Statement put_left_receipt, put_equivocation, put_peer, put_retired;
    sqlite::Statement put_holder_list, put_peer_list, put_asked;
    sqlite::Statement put_start, forget_starts, put_peer_state, set_restored, put_copied;
    sqlite::Statement put_revocation, has_revocation, put_succession, put_member, drop_member,
        put_followed_key, put_own_membership;

    [[nodiscard]] protocol::Result<void> prepare(const sqlite::Connection& connection) {
        const std::pair<sqlite::Statement*, const char*> all[] = {
            {&begin, schema::kBegin},
            {&commit, schema::kCommit},
            {&rollback, schema::kRollback},
            {&put_tombstone, schema::kPutTombstone},
            {&has_tombstone, schema::kHasTombstone},
            {&recipient_version, schema::kRecipientVersion},
            {&put_recipient, schema::kPutRecipient},
            {&put_receipt, schema::kPutReceipt},
            {&put_exiting, schema::kPutExiting},
            {&held_version, schema::kHeldVersion},
            {&erase_held_seed, schema::kEraseHeldSeed},
            {&erase_held_row, schema::kEraseHeldRow},
            {&put_held_seed, schema::kPutHeldSeed},
            {&own_version, schema::kOwnVersion},
            {&erase_own_seed, schema::kEraseOwnSeed},
            {&put_own_seed, schema::kPutOwnSeed},
            {&raise_own_version, schema::kRaiseOwnVersion},
            {&put_own_lease, schema::kPutOwnLease},
            {&put_held_lease, schema::kPutHeldLease},
            {&erase_held_lease, schema::kEraseHeldLease},
            {&erase_stray_leases, schema::kEraseStrayLeases},
            {&put_left_receipt, schema::kPutLeftReceipt},
            {&put_equivocation, schema::kPutEquivocation},
            {&put_peer, schema::kPutPeer},
            {&put_retired, schema::kPutRetired},
            {&clear_restored, schema::kClearRestored},
            {&put_holder_list, schema::kPutHolderList},
            {&put_peer_list, schema::kPutPeerList},
            {&put_asked, schema::kPutAsked},
            {&put_start, schema::kPutStart},
            {&forget_starts, schema::kForgetStarts},
            {&put_peer_state, schema::kPutPeerState},
            {&set_restored, schema::kSetRestored},
            {&put_copied, schema::kPutCopied},
            {&put_revocation, schema::kPutRevocation},
            {&has_revocation, schema::kHasRevocation},
            {&put_succession, schema::kPutSuccession},
            {&put_member, schema::kPutMember},
            {&drop_member, schema::kDropMember},
            {&put_followed_key, schema::kPutFollowedKey},
            {&put_own_membership, schema::kPutOwnMembership},
        };
        for (const auto& [statement, sql] : all) {
            auto prepared = connection.prepare(sql);
            if (!prepared) return tl::unexpected(prepared.error());
            *statement = std::move(*prepared);
        }
        return {};
    }
};

}  // namespace unlearn::storage
