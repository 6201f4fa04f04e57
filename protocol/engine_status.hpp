#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

/// What an engine tells about itself.
namespace unlearn::protocol {

struct EngineCounters {
    std::uint64_t peers_dropped = 0;
    std::uint64_t messages_ignored = 0;
    std::uint64_t seeds_refused = 0;
    std::uint64_t store_failures = 0;
    std::uint64_t equivocations = 0;  ///< different versions, kMaxEquivocationsKept of each owner at most
    std::uint64_t exits_put_off = 0;  ///< of unknown owners, because one peer introduced too many
    std::uint64_t comparisons = 0;    ///< of known exits, finished
};

/// How much an engine has to remember for others just now.
struct EngineSizes {
    std::size_t sessions = 0;
    std::size_t blocked_keys = 0;
    std::size_t waiting_gets = 0;  ///< of the session with the most
    std::size_t downloads = 0;
    std::size_t candidates = 0;     ///< complete seeds that are being checked or stored
    std::size_t writes = 0;         ///< not answered yet
    std::size_t equivocations = 0;  ///< proofs of the owners that we have as peers
};

/// Who may hold our seed, and for how long.
struct Recipient {
    SeedVersion version{};
    WallTime lease_until{};  ///< end of the last lease that it may have
};

/// Where our own exit stands.
struct ExitProgress {
    bool begun = false;
    bool durable = false;    ///< a crash cannot undo it any more
    bool announced = false;  ///< all that we held is erased, and the notice goes out
    bool complete = false;
    bool given_up = false;
    bool met = false;  ///< it came from a peer: a copy of this identity has left
    SignedBytes notice;
    std::map<NodeId, Recipient> recipients;  ///< everybody who was ever served
    std::map<NodeId, SignedBytes> receipts;  ///< durable ones
};

enum class SeedState { checking, in_use, quarantined, lease_ended, held_aside };
[[nodiscard]] std::string_view name_of(SeedState state);

struct HeldSeedStatus {
    NodeId owner;
    SeedVersion version{};
    std::string architecture;
    std::size_t bytes = 0;
    SeedState state{};
    std::string detail;
    WallTime lease_until{};
};

/// `former`: removed by the user; `left`: its exit is known here.
enum class PeerState { down, connecting, up, suspect, former, left };
[[nodiscard]] std::string_view name_of(PeerState state);
enum class PeerSource { config, added, membership };
[[nodiscard]] std::string_view name_of(PeerSource source);

struct PeerStatus {
    NodeId id;
    std::optional<std::string> endpoint;
    PeerState state{};
    PeerSource source{};
};

struct OwnSeedStatus {
    SeedVersion version{};
    std::string architecture;
    std::size_t bytes = 0;
    WallTime lease_until{};
};

}  // namespace unlearn::protocol
