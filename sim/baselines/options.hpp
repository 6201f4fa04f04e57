#pragma once

#include <cstdint>
#include <functional>

#include "node/learning/data/architecture.hpp"

namespace unlearn::sim::baselines {

/// How a participant follows the gradient of its own mean cross-entropy: plain stochastic gradient descent at
/// a constant rate, as in the papers on both baselines.
struct LocalOptions {
    learning::Architecture architecture;
    std::int64_t epochs = 1;  ///< passes over its own examples per round
    std::int64_t batch = 32;  ///< examples in a step; the last step of an epoch may have fewer
    double learning_rate = 0.05;
    double momentum = 0.0;  ///< heavy ball, as PyTorch's SGD: v = momentum v + gradient; x = x - rate v
};

/// Options of D-PSGD.
struct DecentralisedOptions {
    LocalOptions local;
    /// The number of first rounds after which the state of every node is kept for a roll-back (parameters,
    /// and momentum if there is any). 0 keeps nothing.
    std::int64_t kept_rounds = 0;
};

/// Options of FedAvg.
struct FederatedOptions {
    LocalOptions local;            ///< momentum restarts at zero in every round
    double fraction = 1.0;         ///< C: the share of clients that takes part in a round; at least one does
    std::int64_t kept_rounds = 0;  ///< number of first rounds after which the server keeps its model
};

/// The cost of training so far. Scoring is not counted.
struct Cost {
    std::int64_t rounds = 0;
    std::int64_t node_rounds = 0;  ///< local trainings: one per participant that took part in a round
    double cpu_seconds = 0.0;      ///< CLOCK_THREAD_CPUTIME_ID of all workers, local training and averaging
    std::uint64_t bytes = 0;       ///< bytes of float32 parameters that would have been sent

    Cost& operator+=(const Cost& other) {
        rounds += other.rounds;
        node_rounds += other.node_rounds;
        cpu_seconds += other.cpu_seconds;
        bytes += other.bytes;
        return *this;
    }
};

/// The report after every round, made in the thread that called run().
struct RoundReport {
    std::int64_t round = 0;  ///< number of the round in this call, from 1
    std::int64_t rounds = 0;
    double mean_loss = 0.0;  ///< mean over the participants of their mean training loss in this round
};
/// Is called after every round of training.
using RoundProgress = std::function<void(const RoundReport&)>;

}  // namespace unlearn::sim::baselines
