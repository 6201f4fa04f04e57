#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "protocol/engine.hpp"
#include "sim/experiments/churn.hpp"
#include "sim/experiments/link.hpp"

namespace unlearn::sim::experiments {

/// What happens to a network of production nodes in virtual time, and what is measured. Seconds are virtual.
/// They count from the moment when the seeds have spread, or when `spread_limit_seconds` are over.
struct NetworkStudySettings {
    /// If false, no node trains, and seeds are random bytes. There are then no accuracies, and the study is
    /// about a hundred times as fast.
    bool learning = true;
    std::size_t seed_bytes = 102'000;  ///< without learning; about that of mlp:32 for Fashion-MNIST

    ChurnSettings churn;
    /// The node that leaves in a study of one exit, in addition to all churn: a name, "most-central" or
    /// "random".
    std::optional<std::string> exit_node;
    double exit_at_seconds = 1.0;

    LinkSettings link;
    std::chrono::milliseconds tick = protocol::kTickInterval;
    protocol::Pace pace;
    std::chrono::seconds lease_time = protocol::kLeaseTime;
    /// How often owners renew leases, which also repeats a lost announcement. Without a value it is as in
    /// production, or every 15 s if messages are lost.
    std::optional<std::chrono::seconds> lease_renewal;

    double duration_seconds = 60.0;
    double sample_every_seconds = 10.0;
    double spread_limit_seconds = 120.0;
    double give_up_seconds = 60.0;  ///< time after which an exit waits for no more receipts
    /// A node is blocked when it cannot predict, or when it lacks the seed of a neighbour although both have
    /// been up for so long. Should be longer than `lease_renewal` if messages are lost.
    double patience_seconds = 60.0;
    bool node_rows = true;  ///< whether there are also rows with a label `node`, not only summaries
};

}  // namespace unlearn::sim::experiments
