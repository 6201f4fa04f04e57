#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/baselines/decentralised_sgd.hpp"
#include "sim/baselines/evaluation.hpp"
#include "sim/baselines/federated_averaging.hpp"
#include "sim/result.hpp"

/// The cost of forgetting one participant in D-PSGD and in FedAvg, where its data is in every parameter.
/// There are two ways. Neither uses any number that was computed from the leaver's data:
///
/// - *full retraining* starts from the initial weights, in the network without the leaver;
/// - *roll-back and retrain* starts from the latest kept states that the leaver's data cannot have reached.
///
/// Both stop as soon as the survivors' score reaches a target, which depends on their score before the exit.
namespace unlearn::sim::baselines {

/// When the training after an exit stops.
struct ForgettingOptions {
    double share = 0.99;             ///< the part of the survivors' mean score before the exit to reach again
    std::int64_t most_rounds = 200;  ///< rounds after which training gives up
    std::int64_t rounds_a_check = 1;  ///< rounds between two checks of the scores
    /// Called after every check, in the calling thread.
    std::function<void(std::int64_t rounds, double score, double target)> progress;
};

/// How a group of survivors recovered. Scores are means over the group.
struct Recovery {
    double score_before = 0.0;    ///< at the exit, with the leaver's data in the models
    double target = 0.0;          ///< share * score_before
    double score_restored = 0.0;  ///< at the start: of fresh weights or of the restored states
    double score = 0.0;           ///< at the end
    bool reached = false;         ///< score >= target, within the rounds allowed
    Cost cost;                    ///< of training; scoring is not counted
};

/// What a roll-back could reuse of the kept states.
struct Restored {
    std::int64_t node_rounds = 0;  ///< local trainings that need not be repeated
    std::uint64_t kept_bytes = 0;  ///< size of the kept states at all nodes together
};

/// A connected part of the graph without the leaver. Parts learn separately, and each has a target of its
/// own. A small part alone may never reach it.
struct Part {
    DecentralisedSgd network;
    Recovery recovery;
};

/// A D-PSGD network after forgetting, and what that cost.
struct DecentralisedForgetting {
    std::vector<Part> parts;  ///< more than one if the exit disconnected the graph
    Restored restored;        ///< zero after full retraining
    Recovery all;             ///< over all survivors: the sum of costs, but the rounds of the slowest part

    [[nodiscard]] bool torn_apart() const { return parts.size() > 1; }
};

/// Full retraining: every part of the graph without `leaver` learns from the initial weights, with the
/// options and the seed of `trained`. After the same number of rounds, its bits are those of a network that
/// never had the leaver. The scores of `trained` only decide when to stop. @return an error when there is no
/// such node, or when no node would be left.
[[nodiscard]] Result<DecentralisedForgetting> retrain_without(DecentralisedSgd& trained,
                                                              const std::string& leaver,
                                                              const ForgettingOptions& options,
                                                              const Evaluation& evaluation);

/// Roll-back: what a node learns travels one hop per round, so the leaver's data is in the states of a node d
/// hops away from round d on. Each survivor goes back to its latest kept state of at most d - 1 rounds, and
/// all continue from there together. Neighbours of the leaver go back to the initial weights. Nodes that the
/// leaver cannot reach keep what they have.
///
/// This removes the leaver's data, but not every trace of the leaver: the restored states were mixed with
/// weights that counted it as a neighbour's neighbour. They equal those of full retraining, bit for bit,
/// where nothing could be restored (all survivors are neighbours of the leaver, as in a complete graph or
/// around the centre of a star), and in parts of the graph that the leaver never reached.
///
/// Which states exist depends on `DecentralisedOptions::kept_rounds` of `trained`.
[[nodiscard]] Result<DecentralisedForgetting> roll_back_without(DecentralisedSgd& trained,
                                                                const std::string& leaver,
                                                                const ForgettingOptions& options,
                                                                const Evaluation& evaluation);

/// Returns for each node the number of rounds for which its state is free of the data of node `leaver`: the
/// hops between them minus 1, INT64_MAX where there is no path, and 0 for the leaver itself.
[[nodiscard]] std::vector<std::int64_t> clean_rounds(const topologies::Graph& graph,
                                                     topologies::NodeIndex leaver);

/// A FedAvg network after forgetting, and what that cost.
struct FederatedForgetting {
    FederatedAveraging network;
    Recovery recovery;
    Restored restored;
};

/// Full retraining: the server's model is trained from the initial weights without `leaver`.
[[nodiscard]] Result<FederatedForgetting> retrain_without(FederatedAveraging& trained,
                                                          const std::string& leaver,
                                                          const ForgettingOptions& options,
                                                          const Evaluation& evaluation);

/// Roll-back: the server goes back to its latest kept model from before the round in which the leaver first
/// took part. With fraction 1 that is the initial model. The result equals full retraining, bit for bit, if
/// the number of clients in a round is the same with and without the leaver.
[[nodiscard]] Result<FederatedForgetting> roll_back_without(FederatedAveraging& trained,
                                                            const std::string& leaver,
                                                            const ForgettingOptions& options,
                                                            const Evaluation& evaluation);

/// Returns the number of rounds before the leaver first took part, of those trained so far.
[[nodiscard]] std::int64_t clean_rounds(const FederatedAveraging& trained, const std::string& leaver);

}  // namespace unlearn::sim::baselines
