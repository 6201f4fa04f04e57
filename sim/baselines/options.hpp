#pragma once

#include <cstdint>
#include <functional>

#include "node/learning/data/architecture.hpp"

namespace unlearn::sim::baselines {

/// How one participant follows the gradient of its own mean cross-entropy: plain stochastic gradient descent
/// at a constant rate, as in the papers of both baselines.
struct LocalOptions {
    learning::Architecture architecture;
    std::int64_t epochs = 1;  ///< over its own examples, per round
    std::int64_t batch = 32;  ///< examples in a step; the last step of an epoch may have fewer
    double learning_rate = 0.05;
    double momentum = 0.0;  ///< heavy ball, as PyTorch's SGD: v = momentum v + gradient; x = x - rate v
};

struct DecentralisedOptions {
    LocalOptions local;
    /// For how many first rounds the state of every node is kept for a roll-back (parameters, and momentum if
    /// there is any, at every node and round). 0 keeps nothing.
    std::int64_t kept_rounds = 0;
};

struct FederatedOptions {
    LocalOptions local;            ///< momentum starts from nothing in every round
    double fraction = 1.0;         ///< C: the share of clients that takes part in a round; at least one does
    std::int64_t kept_rounds = 0;  ///< for how many first rounds the server keeps its model
};

/// What training has cost so far. Scoring is not counted.
struct Cost {
    std::int64_t rounds = 0;
    std::int64_t node_rounds = 0;  ///< local trainings: one per participant that took part in a round
    double cpu_seconds = 0.0;      ///< CLOCK_THREAD_CPUTIME_ID of all workers, local training and averaging
    std::uint64_t bytes = 0;       ///< of parameters (float32) that would have crossed the wire

    Cost& operator+=(const Cost& other) {
        rounds += other.rounds;
        node_rounds += other.node_rounds;
        cpu_seconds += other.cpu_seconds;
        bytes += other.bytes;
        return *this;
    }
};

/// After every round, in the thread that called run().
struct RoundReport {
    std::int64_t round = 0;  ///< of this call, counted from 1
    std::int64_t rounds = 0;
    double mean_loss = 0.0;  ///< mean over the participants of their mean training loss in this round
};
using RoundProgress = std::function<void(const RoundReport&)>;

}  // namespace unlearn::sim::baselines
