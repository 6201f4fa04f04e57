#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/identity.hpp"

/// What must survive power loss, as plain values. The engine asks for it in `Persist` effects, storage
/// carries it out in one durable transaction for each effect, and gives all of it back as a `LoadedState` at
/// start-up.
namespace unlearn::protocol {

/// Version of an owner's seed; starts at 1 and only grows.
enum class SeedVersion : std::uint64_t {};

/// Time of day, as people read it. Only the end of a lease depends on it, and only to end the lease sooner.
using WallTime = std::chrono::sys_seconds;

/// Bytes exactly as they were received or made, with the signature over them. Never re-encoded.
struct SignedBytes {
    Bytes bytes;
    Signature signature;
    bool operator==(const SignedBytes&) const = default;
};

/// `owner` has left for ever. Never deleted; a second one for the same owner changes nothing.
struct PutTombstone {
    NodeId owner;
    SignedBytes notice;
};

/// `peer` asked for our seed of this version and may hold it from now on, and use it until `lease_until`.
/// Keeps the highest version and the latest end, each for itself.
struct PutRecipient {
    NodeId peer;
    SeedVersion version;
    WallTime lease_until{};
};

/// A holder's receipt for our own exit, or its `left` receipt. The first one of each holder is kept.
struct PutReceipt {
    NodeId holder;
    SignedBytes receipt;
};

/// A neighbour's seed, complete and checked. Replaces an older version of the same owner; the replaced bytes
/// are erased.
struct PutHeldSeed {
    NodeId owner;
    SeedVersion version;
    SignedBytes record;
    SharedSeedBytes payload;
};

/// Deletes and overwrites every copy of the owner's seed on disk, also in the write-ahead log. Done only when
/// no 16-byte window of the payload can be found in the files any more.
struct EraseHeldSeed {
    NodeId owner;
};

/// Our own newest seed. Replaces the one before.
struct PutOwnSeed {
    SeedVersion version;
    SignedBytes record;
    SharedSeedBytes payload;
};

/// Our own exit has begun and cannot be undone. `met`: it came from a peer, a copy of this identity has left.
struct PutExiting {
    SignedBytes notice;
    bool met = false;
};

/// The newest lease of our own seed that anybody may have been given. Keeps the highest number.
struct PutOwnLease {
    std::uint64_t number = 0;
    WallTime not_after{};
};

/// The newest lease of a held seed. Keeps the highest number; changes nothing when no seed of the owner is
/// held, and is deleted with it.
struct PutHeldLease {
    NodeId owner;
    std::uint64_t number = 0;
    WallTime not_after{};
};

/// Our own `left` receipt for `owner`: we are leaving and erased its seed. The first one is kept.
struct PutLeftReceipt {
    NodeId owner;
    SignedBytes receipt;
};

/// Two different records of one owner and version: proof that the owner equivocates. The first proof of each
/// version is kept, and at most kMaxEquivocationsKept of each owner.
struct PutEquivocation {
    NodeId owner;
    SeedVersion version;
    SignedBytes first;
    SignedBytes second;
};

/// A peer that was added or removed while we ran. `former`: nothing is exchanged with it any more, but it may
/// have to hear of our exit. Replaces what was stored.
struct PutPeer {
    NodeId peer;
    std::optional<std::string> endpoint;
    bool former = false;
};

/// This identity is finished and must never run again. The first reason is kept.
struct PutRetired {
    std::string reason;
};

/// Exits were compared with neighbours since this state was restored from a backup.
struct ClearRestored {};

using StoreOp = std::variant<PutTombstone, PutRecipient, PutReceipt, PutHeldSeed, EraseHeldSeed, PutOwnSeed,
                             PutExiting, PutOwnLease, PutHeldLease, PutLeftReceipt, PutEquivocation, PutPeer,
                             PutRetired, ClearRestored>;

/// All that was stored, in the order of NodeId within each list.
struct LoadedState {
    std::vector<PutTombstone> tombstones;
    std::vector<PutRecipient> recipients;
    std::vector<PutReceipt> receipts;
    std::vector<PutHeldSeed> held_seeds;
    std::optional<PutOwnSeed> own_seed;
    /// The highest version that our own seed ever had: known even when its bytes are not (a restored backup).
    SeedVersion last_own_version{};
    std::optional<PutExiting> exiting;
    std::optional<PutOwnLease> own_lease;
    std::vector<PutHeldLease> held_leases;
    std::vector<PutLeftReceipt> left_receipts;
    std::vector<PutEquivocation> equivocations;
    std::vector<PutPeer> peers;
    std::optional<PutRetired> retired;
    /// From a backup, which knows nothing of the exits that came after it; until ClearRestored.
    bool restored = false;
};

}  // namespace unlearn::protocol
