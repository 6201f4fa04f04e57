#pragma once

#include <cstddef>
#include <cstdint>

#include "node/storage/sqlite.hpp"
#include "protocol/digest.hpp"
#include "protocol/identity.hpp"

/// The layout of the database and every SQL text that storage uses.
namespace unlearn::storage {

/// The node and the network that a folder belongs to. Written when the folder is made and compared at every
/// later start.
struct Binding {
    protocol::NodeId self;
    protocol::NetworkId network;
};

namespace schema {

inline constexpr std::int64_t kApplicationId = 0x756E6C72;  // "unlr", in the file's header
inline constexpr std::int64_t kVersion = 8;                 // PRAGMA user_version
inline constexpr std::size_t kPageSize = 4096;

/// Zeros stored before each payload, in the same blob, as a precaution. SQLite keeps the beginning of a long
/// row inside a B-tree page and copies it (in memory too) when such pages are split or joined. It does not
/// promise that secure_delete follows those copies, although 1,500 random installs and erasures without a
/// lead left none. The rest of the row is in overflow pages, which belong to that row alone, never move, and
/// are overwritten when it is deleted. The lead is one page long, so no byte of a seed is ever in the first
/// part.
inline constexpr std::size_t kPayloadLead = kPageSize;

/// Settings of the connection, made before the file is read for the first time. With cache_spill off, a
/// transaction's pages go to the log once, at commit, and not at all when it is rolled back.
inline constexpr auto kSettings =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA secure_delete = ON;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA cache_spill = OFF;"
    "PRAGMA cell_size_check = ON;";

inline constexpr auto kBegin = "BEGIN IMMEDIATE";
inline constexpr auto kCommit = "COMMIT";
inline constexpr auto kRollback = "ROLLBACK";

inline constexpr auto kPutTombstone =
    "INSERT INTO tombstones(owner, notice, signature, erased) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(owner) DO "
    "NOTHING";
inline constexpr auto kHasTombstone = "SELECT 1 FROM tombstones WHERE owner = ?1";
inline constexpr auto kRecipientVersion = "SELECT version FROM recipients WHERE peer = ?1";
inline constexpr auto kPutRecipient =
    "INSERT INTO recipients(peer, version, lease_until) VALUES(?1, ?2, ?3) ON CONFLICT(peer) DO UPDATE SET "
    "version = max(version, excluded.version), lease_until = max(lease_until, excluded.lease_until)";
inline constexpr auto kPutReceipt =
    "INSERT INTO receipts(holder, receipt, signature) VALUES(?1, ?2, ?3) ON CONFLICT(holder) "
    "DO UPDATE SET receipt = excluded.receipt, signature = excluded.signature WHERE receipt <> "
    "excluded.receipt";
inline constexpr auto kHeldVersion = "SELECT version FROM held_seeds WHERE owner = ?1";
inline constexpr auto kEraseHeldSeed = "DELETE FROM held_seeds WHERE owner = ?1";
inline constexpr auto kEraseHeldRow = "DELETE FROM held_seeds WHERE id = ?1";
inline constexpr auto kPutHeldSeed =
    "INSERT INTO held_seeds(owner, version, record, signature, digest, payload) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
inline constexpr auto kOwnVersion = "SELECT version FROM own_seed";
inline constexpr auto kEraseOwnSeed = "DELETE FROM own_seed";
inline constexpr auto kPutOwnSeed =
    "INSERT INTO own_seed(id, version, record, signature, digest, payload) VALUES(1, ?1, ?2, ?3, ?4, ?5)";
inline constexpr auto kPutExiting =
    "INSERT INTO exiting(id, notice, signature, met) VALUES(1, ?1, ?2, ?3) ON CONFLICT(id) DO NOTHING";

inline constexpr auto kPutOwnLease =
    "INSERT INTO own_lease(id, number, not_after) VALUES(1, ?1, ?2) ON CONFLICT(id) "
    "DO UPDATE SET number = excluded.number, not_after = excluded.not_after WHERE excluded.number > number";
inline constexpr auto kPutHeldLease =
    "INSERT INTO held_leases(owner, number, not_after) SELECT ?1, ?2, ?3 "
    "WHERE EXISTS (SELECT 1 FROM held_seeds WHERE owner = ?1) ON CONFLICT(owner) "
    "DO UPDATE SET number = excluded.number, not_after = excluded.not_after WHERE excluded.number > number";
inline constexpr auto kEraseHeldLease = "DELETE FROM held_leases WHERE owner = ?1";
inline constexpr auto kPutLeftReceipt =
    "INSERT INTO left_receipts(owner, receipt, signature) VALUES(?1, ?2, ?3) ON CONFLICT(owner) DO NOTHING";
inline constexpr auto kPutEquivocation =
    "INSERT INTO equivocations(owner, version, first, first_signature, second, second_signature) "
    "SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) FROM equivocations WHERE owner = ?1) < ?7 "
    "ON CONFLICT(owner, version) DO NOTHING";
/// The rows are in the order in which peers were added; one that was removed before comes last.
inline constexpr auto kPutPeer =
    "INSERT INTO peers(peer, endpoint, former) VALUES(?1, ?2, ?3) ON CONFLICT(peer) "
    "DO UPDATE SET rowid = CASE WHEN former = 1 AND excluded.former = 0 "
    "THEN (SELECT max(rowid) FROM peers) + 1 ELSE rowid END, "
    "endpoint = excluded.endpoint, former = excluded.former "
    "WHERE endpoint <> excluded.endpoint OR former <> excluded.former";
inline constexpr auto kPutRetired =
    "INSERT INTO retired(id, reason) VALUES(1, ?1) ON CONFLICT(id) DO NOTHING";

/// Two different lists of one owner are kept.
inline constexpr auto kPutHolderList =
    "INSERT INTO holder_list(id, list, signature) VALUES(1, ?1, ?2) ON CONFLICT(id) DO NOTHING";
inline constexpr auto kPutPeerList =
    "INSERT INTO peer_lists(owner, place, list, signature) "
    "SELECT ?1, (SELECT count(*) FROM peer_lists WHERE owner = ?1) + 1, ?2, ?3 "
    "WHERE (SELECT count(*) FROM peer_lists WHERE owner = ?1) < 2 "
    "AND NOT EXISTS (SELECT 1 FROM peer_lists WHERE owner = ?1 AND list = ?2)";
inline constexpr auto kPutAsked =
    "INSERT INTO asked(owner, version) VALUES(?1, ?2) ON CONFLICT(owner) "
    "DO UPDATE SET version = max(version, excluded.version)";
inline constexpr auto kPutStart =
    "INSERT INTO starts(start, previous, number, seen) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(start) "
    "DO UPDATE SET number = max(number, excluded.number)";
inline constexpr auto kForgetStarts =
    "DELETE FROM starts WHERE start NOT IN (SELECT start FROM starts ORDER BY number DESC LIMIT ?1)";
inline constexpr auto kPutPeerState =
    "INSERT INTO peer_states(peer, number, state, signature) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(peer) "
    "DO UPDATE SET number = excluded.number, state = excluded.state, signature = excluded.signature "
    "WHERE excluded.number > number";
inline constexpr auto kSetRestored = "UPDATE meta SET restored = 1, ever_restored = 1";
inline constexpr auto kPutCopied = "UPDATE meta SET copied = ?1";
inline constexpr auto kPutRevocation =
    "INSERT INTO revocations(member, revocation, signature, erased) VALUES(?1, ?2, ?3, ?4) "
    "ON CONFLICT(member) DO NOTHING";
inline constexpr auto kHasRevocation = "SELECT 1 FROM revocations WHERE member = ?1";
inline constexpr auto kPutSuccession =
    "INSERT INTO successions(succession, signature) VALUES(?1, ?2) ON CONFLICT(succession) DO NOTHING";
inline constexpr auto kPutMember =
    "INSERT INTO members(member, admitted, membership, signature) VALUES(?1, ?2, ?3, ?4) "
    "ON CONFLICT(member) DO UPDATE SET admitted = excluded.admitted, membership = excluded.membership, "
    "signature = excluded.signature";
inline constexpr auto kDropMember = "DELETE FROM members WHERE member = ?1";
inline constexpr auto kPutFollowedKey =
    "INSERT INTO followed_key(id, key) VALUES(1, ?1) ON CONFLICT(id) DO UPDATE SET key = excluded.key";
inline constexpr auto kPutOwnMembership =
    "INSERT INTO own_membership(id, membership, signature) VALUES(1, ?1, ?2) "
    "ON CONFLICT(id) DO UPDATE SET membership = excluded.membership, signature = excluded.signature";

inline constexpr auto kClearRestored = "UPDATE meta SET restored = 0 WHERE restored <> 0";
inline constexpr auto kRaiseOwnVersion = "UPDATE meta SET own_version = max(own_version, ?1)";
inline constexpr auto kEraseStrayLeases =
    "DELETE FROM held_leases WHERE owner NOT IN (SELECT owner FROM held_seeds)";

/// Takes the higher of two numbers, so that no number is used twice when the head was set back.
inline constexpr auto kLogEnd =
    "SELECT max(log_seq, coalesce((SELECT max(seq) FROM log), 0)), log_hash, log_dropped, log_dropped_hash"
    " FROM meta";
inline constexpr auto kAppendToLog =
    "INSERT INTO log(seq, at, kind, subject, version, previous, hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
inline constexpr auto kSetLogHead = "UPDATE meta SET log_seq = ?1, log_hash = ?2";
inline constexpr auto kDropFromLog = "DELETE FROM log WHERE seq <= ?1";
inline constexpr auto kSetLogDropped = "UPDATE meta SET log_dropped = ?1, log_dropped_hash = ?2";
inline constexpr auto kLogDropped = "SELECT log_dropped, log_dropped_hash FROM meta";
inline constexpr auto kLogOwner = "SELECT self, network FROM meta";
inline constexpr auto kLogHead = "SELECT log_seq, log_hash FROM meta";
inline constexpr auto kCountLog = "SELECT count(*) FROM log";
inline constexpr auto kReadLog =
    "SELECT seq, at, kind, subject, version, previous, hash FROM log WHERE seq >= ?1 ORDER BY seq LIMIT ?2";

inline constexpr auto kHeldBytes = "SELECT coalesce(sum(length(payload)), 0) FROM held_seeds";

inline constexpr auto kLoadTombstones =
    "SELECT rowid, owner, notice, signature, erased FROM tombstones ORDER BY owner";
inline constexpr auto kLoadRecipients =
    "SELECT rowid, peer, version, lease_until FROM recipients ORDER BY peer";
inline constexpr auto kLoadReceipts =
    "SELECT rowid, holder, receipt, signature FROM receipts ORDER BY holder";
inline constexpr auto kLoadHeldSeeds =
    "SELECT id, owner, version, record, signature, digest, length(payload) FROM held_seeds ORDER BY owner";
inline constexpr auto kLoadOwnSeed =
    "SELECT id, version, record, signature, digest, length(payload) FROM own_seed";
inline constexpr auto kLoadExiting = "SELECT id, notice, signature, met FROM exiting";
inline constexpr auto kLoadOwnLease = "SELECT id, number, not_after FROM own_lease";
inline constexpr auto kLoadHeldLeases =
    "SELECT rowid, owner, number, not_after FROM held_leases ORDER BY owner";
inline constexpr auto kLoadLeftReceipts =
    "SELECT rowid, owner, receipt, signature FROM left_receipts ORDER BY owner";
inline constexpr auto kLoadEquivocations =
    "SELECT rowid, owner, version, first, first_signature, second, second_signature FROM equivocations "
    "ORDER BY owner, version";
inline constexpr auto kLoadPeers = "SELECT rowid, peer, endpoint, former FROM peers ORDER BY rowid";
inline constexpr auto kLoadMeta = "SELECT id, own_version, restored, ever_restored, copied FROM meta";
inline constexpr auto kLoadHolderList = "SELECT id, list, signature FROM holder_list";
inline constexpr auto kLoadPeerLists =
    "SELECT rowid, owner, list, signature FROM peer_lists ORDER BY owner, place";
inline constexpr auto kLoadAsked = "SELECT rowid, owner, version FROM asked ORDER BY owner";
inline constexpr auto kLoadStarts = "SELECT rowid, start, previous, number, seen FROM starts ORDER BY number";
inline constexpr auto kLoadPeerStates =
    "SELECT rowid, peer, number, state, signature FROM peer_states ORDER BY peer";
inline constexpr auto kLoadRetired = "SELECT id, reason FROM retired";
inline constexpr auto kLoadRevocations =
    "SELECT rowid, member, revocation, signature, erased FROM revocations ORDER BY member";
inline constexpr auto kLoadSuccessions = "SELECT id, succession, signature FROM successions ORDER BY id";
inline constexpr auto kLoadMembers =
    "SELECT rowid, member, admitted, membership, signature FROM members ORDER BY admitted, member";
inline constexpr auto kLoadFollowedKey = "SELECT id, key FROM followed_key";
inline constexpr auto kLoadOwnMembership = "SELECT id, membership, signature FROM own_membership";

/// The first version with a signed list of holders.
inline constexpr std::int64_t kHolderListVersion = 7;
/// The first version with a log.
inline constexpr std::int64_t kLogVersion = 3;
/// The first version whose log has a limit.
inline constexpr std::int64_t kLogLimitVersion = 7;

/// Checks that the database belongs to unlearnd and is of version `oldest` or a later one that this program
/// knows.
/// @return its version
[[nodiscard]] protocol::Result<std::int64_t> check_version(const sqlite::Connection& connection,
                                                           const std::filesystem::path& file,
                                                           std::int64_t oldest);

/// Creates the tables in an empty database. Checks that an existing one belongs to unlearnd, has a version
/// that this program knows, is undamaged where damage could hide a tombstone, and is bound to the same node
/// and network. Upgrades an older version.
[[nodiscard]] protocol::Result<void> prepare(const sqlite::Connection& connection,
                                             const std::filesystem::path& file, const Binding& binding);

}  // namespace schema
}  // namespace unlearn::storage
