#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/engine/admission.hpp"
#include "protocol/engine_io.hpp"
#include "protocol/identity.hpp"
#include "protocol/limits.hpp"
#include "protocol/records.hpp"

namespace unlearn::protocol {

/// How often a node sends without being asked, and how long it tolerates silence.
struct Pace {
    std::chrono::milliseconds ping_after_idle = kPingAfterIdle;
    std::chrono::milliseconds suspect_after = kPeerSuspectAfter;
    std::chrono::milliseconds down_after = kPeerDownAfter;
    std::chrono::milliseconds compare_every = kCompareInterval;
};

/// The versions of the wire format that a node speaks.
struct WireVersions {
    std::uint8_t oldest = kOldestVersion;
    std::uint8_t newest = kNewestVersion;
};

/// What we exchange with a member that let itself in, and that the operator did not name.
enum class MemberPolicy {
    exits_only,  ///< exits, receipts and what the network's key says, but no seeds
    exchange,    ///< seeds, too
};

/// How members that let themselves in are treated.
struct MemberRules {
    MemberPolicy policy = MemberPolicy::exits_only;
    std::size_t limit = kMaxMembersThatExchange;  ///< of such members that exchange seeds with us
    bool without_end = true;                      ///< whether a membership without an end counts
};

/// How much room there is for the seeds of others. Each owner with a place may fill one share.
struct SeedRoom {
    static constexpr std::size_t kUnlimited = SIZE_MAX;
    std::size_t share = kMaxSeedBytes;  ///< the bytes of the largest seed that is taken
    std::size_t places = kUnlimited;    ///< of all owners together
};

/// The settings that an engine is made with.
struct EngineConfig {
    NetworkId network;
    std::vector<Neighbour> neighbours;
    bool reachable = true;  ///< whether neighbours can dial us
    WireVersions wire;
    StartId start;  ///< random, different at every start; zeros let the engine derive one from the time
    /// The network's first key, if it has one. A node may connect that shows a membership signed by this key
    /// or by one that followed it.
    std::optional<NodeId> network_key;
    std::optional<SignedBytes> membership;  ///< our own membership
    MemberRules members;
    SeedRoom seed_room;
    /// Seeds the random draws: which neighbour to compare exits with, and the salts of the comparisons.
    std::uint64_t random_seed = 0;
    std::chrono::seconds lease_time = kLeaseTime;
    std::chrono::seconds lease_renewal = kLeaseRenewal;
    Pace pace;
    /// The one gate. Any other function than `admit` breaks the protocol's promise. fault_sim sets such
    /// functions to show that it would notice.
    Admission (*gate)(const AdmissionFacts&, AdmissionPoint) = admit;
};

}  // namespace unlearn::protocol
