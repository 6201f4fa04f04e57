#pragma once

#include <cstdint>
#include <optional>
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

/// `peer` asked for our seed of this version and may hold it from now on. Keeps the highest version.
struct PutRecipient {
    NodeId peer;
    SeedVersion version;
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

/// Our own exit has begun and cannot be undone.
struct PutExiting {
    SignedBytes notice;
};

using StoreOp =
    std::variant<PutTombstone, PutRecipient, PutReceipt, PutHeldSeed, EraseHeldSeed, PutOwnSeed, PutExiting>;

/// All that was stored, in the order of NodeId within each list.
struct LoadedState {
    std::vector<PutTombstone> tombstones;
    std::vector<PutRecipient> recipients;
    std::vector<PutReceipt> receipts;
    std::vector<PutHeldSeed> held_seeds;
    std::optional<PutOwnSeed> own_seed;
    std::optional<PutExiting> exiting;
};

}  // namespace unlearn::protocol
