#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/identity.hpp"

/// What must survive power loss, as plain values. The engine asks for changes in `Persist` effects. Storage
/// makes each effect one durable transaction, and returns everything as a `LoadedState` at start-up.
namespace unlearn::protocol {

/// The version of an owner's seed. It starts at 1 and only grows.
enum class SeedVersion : std::uint64_t {};

/// The highest version that a statement or a message may name: a database's largest integer.
inline constexpr std::uint64_t kMaxSeedVersion = INT64_MAX;

/// The time of day, for people. It can end the use of a seed, at the end of a lease, but never prolong it.
using WallTime = std::chrono::sys_seconds;

/// Names one start of a node's process: 16 random bytes, or zeros for none.
using StartId = FixedBytes<16, struct StartIdTag>;

/// Bytes exactly as they were received or made, with the signature over them. They are never re-encoded.
struct SignedBytes {
    Bytes bytes;
    Signature signature;
    bool operator==(const SignedBytes&) const = default;
};

/// Stores that `owner` has left for good. A tombstone is never deleted; a second one for the same owner
/// changes nothing.
struct PutTombstone {
    NodeId owner;
    SignedBytes notice;
    SeedVersion erased{};  ///< the version of the owner's seed that was held, or 0: what our receipt says
};

/// Stores that `peer` may hold our seed up to this version, and use it until `lease_until`. Storage keeps the
/// highest version and the latest end, independently of each other.
struct PutRecipient {
    NodeId peer;
    SeedVersion version;
    WallTime lease_until{};
};

/// Stores a holder's receipt for our own exit, or its `left` receipt. It replaces an earlier one of the
/// holder.
struct PutReceipt {
    NodeId holder;
    SignedBytes receipt;
};

/// Stores a neighbour's seed, complete and checked. It replaces an older version of the same owner, whose
/// bytes are erased.
struct PutHeldSeed {
    NodeId owner;
    SeedVersion version;
    SignedBytes record;
    SharedSeedBytes payload;
};

/// Deletes and overwrites every copy of the owner's seed on disk, including the write-ahead log. The erasure
/// is done only when no 16-byte window of the payload can be found in the files any more.
struct EraseHeldSeed {
    NodeId owner;
};

/// Stores our own newest seed. It replaces the previous one.
struct PutOwnSeed {
    SeedVersion version;
    SignedBytes record;
    SharedSeedBytes payload;
};

/// Stores that our own exit has begun and cannot be undone. `met` says that the notice came from elsewhere: a
/// copy of this identity has left.
struct PutExiting {
    SignedBytes notice;
    bool met = false;
};

/// Stores the newest lease of our own seed that a holder may have. The highest number is kept.
struct PutOwnLease {
    std::uint64_t number = 0;
    WallTime not_after{};
};

/// Stores the newest lease of a held seed. The highest number is kept. Without a held seed of the owner
/// nothing is stored, and the lease is deleted together with the seed.
struct PutHeldLease {
    NodeId owner;
    std::uint64_t number = 0;
    WallTime not_after{};
};

/// Stores our own `left` receipt for `owner`: we are leaving and have erased its seed. The first one is kept.
struct PutLeftReceipt {
    NodeId owner;
    SignedBytes receipt;
};

/// Stores the list of our holders that we signed at our exit. The first one is kept.
struct PutHolderList {
    SignedBytes list;
};

/// Stores the list of holders of an owner that has left. Two different ones of an owner are kept: they prove
/// that it signed both.
struct PutPeerList {
    NodeId owner;
    SignedBytes list;
};

/// Stores that we asked `owner` for this version of its seed. The highest version is kept, also after the
/// seed is gone.
struct PutAsked {
    NodeId owner;
    SeedVersion version{};
};

/// Stores two different records of one owner and version, which prove that the owner equivocates. The first
/// proof of each version is kept, and at most kMaxEquivocationsKept proofs for each owner.
struct PutEquivocation {
    NodeId owner;
    SeedVersion version;
    SignedBytes first;
    SignedBytes second;
};

/// Stores a peer that was added or removed while the node ran, and replaces what was stored of it. With a
/// `former` peer nothing is exchanged any more, but it may have to hear of our exit.
struct PutPeer {
    NodeId peer;
    std::optional<std::string> endpoint;
    bool former = false;
};

/// Stores that this identity has retired and must never run again. The first reason is kept.
struct PutRetired {
    std::string reason;
};

/// Stores one start of our process, or a start that others have seen and we have not. The highest number of
/// each start is kept.
struct PutStart {
    StartId start;
    StartId previous;
    std::uint64_t number = 0;     ///< the highest number that our state had since
    bool seen_by_others = false;  ///< the start was not ours, but that of a copy
};

/// Stores the newest statement of a peer's state. The highest number is kept.
struct PutPeerState {
    NodeId peer;
    std::uint64_t number = 0;
    SignedBytes statement;
};

/// Stores that our state is an old copy: others have seen a newer one.
struct SetRestored {};

/// Stores that exits have been compared with neighbours since this state was restored.
struct ClearRestored {};

/// Stores whether a second live copy of this node was met and its operator has not decided yet.
struct PutCopied {
    bool copied = false;
};

/// Stores that `member` is expelled. The first revocation of a member is kept, for ever.
struct PutRevocation {
    NodeId member;
    SignedBytes revocation;
    SeedVersion erased{};  ///< the version of the member's seed that was held, or 0
};

/// Stores a succession from one key of the network to the next. All are kept: two from one key are proof.
struct PutSuccession {
    SignedBytes succession;
};

/// Stores a member that let itself in, and replaces what was stored of it. `admitted` is its place in the
/// order of admission.
struct PutMember {
    NodeId member;
    std::uint64_t admitted = 0;
    SignedBytes membership;
};

/// Deletes a member from the order of admission.
struct DropMember {
    NodeId member;
};

/// Stores the key to which the operator wants the network's keys to lead, and replaces an earlier one.
struct PutFollowedKey {
    NodeId key;
};

/// Stores our own membership, and replaces an earlier one.
struct PutOwnMembership {
    SignedBytes membership;
};

/// One change to what is stored.
using StoreOp = std::variant<PutTombstone, PutRecipient, PutReceipt, PutHeldSeed, EraseHeldSeed, PutOwnSeed,
                             PutExiting, PutHolderList, PutPeerList, PutAsked, PutOwnLease, PutHeldLease,
                             PutLeftReceipt, PutEquivocation, PutPeer, PutRetired, PutStart, PutPeerState,
                             SetRestored, ClearRestored, PutCopied, PutRevocation, PutSuccession, PutMember,
                             DropMember, PutFollowedKey, PutOwnMembership>;

/// Everything that was stored. Each list is in the order of its NodeIds, but for peers: those are in the
/// order in which they were added.
struct LoadedState {
    std::vector<PutTombstone> tombstones;
    std::vector<PutRecipient> recipients;
    std::vector<PutReceipt> receipts;
    std::vector<PutHeldSeed> held_seeds;
    std::optional<PutOwnSeed> own_seed;
    /// The highest version that our own seed ever had. A restored backup knows it, but not the seed's bytes.
    SeedVersion last_own_version{};
    std::optional<PutExiting> exiting;
    std::optional<PutHolderList> holder_list;
    std::vector<PutPeerList> peer_lists;
    std::vector<PutAsked> asked;
    std::optional<PutOwnLease> own_lease;
    std::vector<PutHeldLease> held_leases;
    std::vector<PutLeftReceipt> left_receipts;
    std::vector<PutEquivocation> equivocations;
    std::vector<PutPeer> peers;
    std::optional<PutRetired> retired;
    /// All starts of this node that are known, in the order of their numbers.
    std::vector<PutStart> starts;
    std::vector<PutPeerState> peer_states;
    std::vector<PutRevocation> revocations;
    std::vector<PutSuccession> successions;  ///< in the order in which they were stored
    std::vector<PutMember> members;          ///< in the order of admission
    std::optional<PutFollowedKey> followed_key;
    std::optional<PutOwnMembership> own_membership;  ///< newer than the one that `init` made
    /// The state is an old copy, which lacks the exits that came after it. ClearRestored resets this.
    bool restored = false;
    bool ever_restored = false;  ///< the state was an old copy at some time
    bool copied = false;         ///< see PutCopied
};

}  // namespace unlearn::protocol
