#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"
#include "protocol/records.hpp"

/// What an engine reports about itself.
namespace unlearn::protocol {

/// What an engine has counted so far.
struct EngineCounters {
    std::uint64_t peers_dropped = 0;
    std::uint64_t messages_ignored = 0;
    std::uint64_t seeds_refused = 0;
    std::uint64_t store_failures = 0;
    std::uint64_t equivocations = 0;  ///< versions with two records, at most kMaxEquivocationsKept per owner
    std::uint64_t exits_put_off = 0;  ///< exits of unknown owners that a peer was not allowed to introduce
    std::uint64_t comparisons = 0;    ///< finished comparisons of known exits
    std::uint64_t comparisons_incomplete = 0;  ///< of them, those that left exits of unknown owners to later
};

/// How many entries an engine currently keeps because of other nodes.
struct EngineSizes {
    std::size_t sessions = 0;
    std::size_t blocked_keys = 0;
    std::size_t waiting_gets = 0;  ///< the largest number of waiting Gets of one session
    std::size_t downloads = 0;
    std::size_t candidates = 0;     ///< complete seeds that are being checked or stored
    std::size_t writes = 0;         ///< writes that storage has not answered yet
    std::size_t equivocations = 0;  ///< kept proofs of equivocation
    std::size_t expulsions = 0;     ///< members that the network's key has expelled
};

/// The progress of our own exit.
struct ExitProgress {
    bool begun = false;
    bool durable = false;    ///< a crash cannot undo the exit any more
    bool announced = false;  ///< the notice goes out
    bool complete = false;   ///< the receipts of all recipients are stored
    bool given_up = false;   ///< the user waits for no more receipts
    bool met = false;        ///< the notice came from elsewhere: a copy of this identity has left
    SignedBytes notice;
    std::optional<SignedBytes> list;         ///< our durable HolderList, once it is signed
    std::map<NodeId, Recipient> recipients;  ///< all peers that were ever served
    std::map<NodeId, SignedBytes> receipts;  ///< the durable receipts, by holder
    std::map<NodeId, SignedBytes> left;  ///< the exit notices of those recipients that have left themselves
};

/// The state of a held seed.
enum class SeedState { checking, in_use, quarantined, lease_ended, held_aside };
/// Returns the name of the state, with hyphens: "in-use".
[[nodiscard]] std::string_view name_of(SeedState state);

/// A complete seed of another node.
struct HeldSeedStatus {
    NodeId owner;
    SeedVersion version{};
    std::string architecture;
    std::size_t bytes = 0;
    SeedState state{};
    std::string detail;
    WallTime lease_until{};
};

/// The state of a peer. `former` means that the user removed it; `left` means that its exit is known here.
enum class PeerState { down, connecting, up, suspect, former, left };
/// Returns the name of the state.
[[nodiscard]] std::string_view name_of(PeerState state);
/// How a peer became known: from the configuration, added by the user, or by its membership.
enum class PeerSource { config, added, membership };
/// Returns the name of the source.
[[nodiscard]] std::string_view name_of(PeerSource source);

/// A peer that this node knows.
struct PeerStatus {
    NodeId id;
    std::optional<std::string> endpoint;
    PeerState state{};
    PeerSource source{};
    std::string no_seeds;                      ///< why no seeds are exchanged with it; empty where they are
    std::optional<WallTime> membership_until;  ///< of a member that let itself in
};

/// What is known of a network's key.
struct NetworkKeyStatus {
    std::optional<NodeId> current;   ///< the key whose statements count; nothing while it is undecided
    std::vector<NodeId> chain;       ///< the first key and those that followed it
    std::optional<NodeId> followed;  ///< the key that the operator chose
    std::vector<SignedBytes> successions;
    std::vector<SignedBytes> revocations;
    std::optional<SignedBytes> membership;  ///< our own
};

/// The seed that this node publishes.
struct OwnSeedStatus {
    SeedVersion version{};
    std::string architecture;
    std::size_t bytes = 0;
    WallTime lease_until{};
};

}  // namespace unlearn::protocol
