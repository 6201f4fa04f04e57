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

/// How often a node speaks without need, and how long it puts up with silence.
struct Pace {
    std::chrono::milliseconds ping_after_idle = kPingAfterIdle;
    std::chrono::milliseconds suspect_after = kPeerSuspectAfter;
    std::chrono::milliseconds down_after = kPeerDownAfter;
    std::chrono::milliseconds compare_every = kCompareInterval;
};

/// What a node is told about its network before it starts.
struct EngineConfig {
    NetworkId network;
    std::vector<Neighbour> neighbours;
    bool reachable = true;  ///< neighbours can dial us
    /// In a network with a key, a node that shows a membership signed by it may connect.
    std::optional<NodeId> network_key;
    std::optional<SignedBytes> membership;  ///< ours
    std::uint64_t random_seed =
        0;  ///< for draws: which neighbour to compare exits with, and the key of the hashes
    std::chrono::seconds lease_time = kLeaseTime;
    std::chrono::seconds lease_renewal = kLeaseRenewal;
    Pace pace;
    /// The one gate. Anything but `admit` breaks the promise: fault_sim shows that it would notice.
    Admission (*gate)(const AdmissionFacts&, AdmissionPoint) = admit;
};

}  // namespace unlearn::protocol
