#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "protocol/engine.hpp"
#include "sim/experiments/churn.hpp"
#include "sim/experiments/link.hpp"

namespace unlearn::sim::experiments {

/// What happens to a network of production nodes in virtual time, and what of it is measured. Seconds are
/// virtual and count from the moment when the seeds have spread, or have had `spread_limit_seconds` for it.
struct NetworkStudySettings {
    /// Off: nobody trains, and seeds are random bytes; no accuracies, and a hundred times as quick.
    bool learning = true;
    std::size_t seed_bytes = 102'000;  ///< without learning; mlp:32 for Fashion-MNIST is so large

    ChurnSettings churn;
    /// Who leaves, for studies of one exit: a name, "most-central" or "random". Beside all churn.
    std::optional<std::string> exit_node;
    double exit_at_seconds = 1.0;

    LinkSettings link;
    std::chrono::milliseconds tick = protocol::kTickInterval;
    protocol::Pace pace;
    std::chrono::seconds lease_time = protocol::kLeaseTime;
    /// How often owners renew leases, which also repeats a lost announcement. Nothing: as in production, but
    /// every 15 s where messages are lost.
    std::optional<std::chrono::seconds> lease_renewal;

    double duration_seconds = 60.0;
    double sample_every_seconds = 10.0;
    double spread_limit_seconds = 120.0;
    double give_up_seconds = 60.0;  ///< after so long, an exit waits for no more receipts
    /// A node is blocked when, after both it and a neighbour were up for so long, it still lacks that
    /// neighbour's seed, or when it cannot predict. Longer than `lease_renewal` where messages are lost.
    double patience_seconds = 60.0;
    bool node_rows = true;  ///< also rows with a label `node`; without, only what sums them up
};

}  // namespace unlearn::sim::experiments
