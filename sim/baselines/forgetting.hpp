#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "sim/baselines/decentralised_sgd.hpp"
#include "sim/baselines/evaluation.hpp"
#include "sim/baselines/federated_averaging.hpp"

/// The price of forgetting one participant in D-PSGD and in FedAvg, where its data is in every parameter. Two
/// ways, both without a single number that was computed from the leaver's data:
///
/// - *full retraining*: from the initial weights, in the network without the leaver;
/// - *roll-back and retrain*: from the latest kept states that the leaver's data cannot have reached.
///
/// Both stop as soon as the survivors are as good as they have to be, and so how long they take depends on
/// how good they were with the leaver.
namespace unlearn::sim::baselines {

struct ForgettingOptions {
    double share = 0.99;  ///< of the survivors' mean score before the exit, which they must reach again
    std::int64_t most_rounds = 200;   ///< after which one gives up
    std::int64_t rounds_a_check = 1;  ///< rounds between two looks at the scores
    /// After every check, in the thread that called.
    std::function<void(std::int64_t rounds, double score, double target)> progress;
};

/// How a group of survivors fared. Scores are means over the group.
struct Recovery {
    double score_before = 0.0;    ///< at the exit, with the leaver's data in the models
    double target = 0.0;          ///< share * score_before
    double score_restored = 0.0;  ///< where it began: fresh weights, or the restored states
    double score = 0.0;           ///< at the end
    bool reached = false;         ///< score >= target, within the rounds allowed
    Cost cost;                    ///< of training; scoring is not counted
};

/// What a roll-back can use of what was kept.
struct Restored {
    std::int64_t node_rounds = 0;  ///< local trainings that need not be done again
    std::uint64_t kept_bytes = 0;  ///< what keeping the states took, at all nodes together
};

/// A connected part of the graph without the leaver. Parts learn apart from each other, and each has a target
/// of its own: a small one may never reach it alone.
struct Part {
    DecentralisedSgd network;
    Recovery recovery;
};

struct DecentralisedForgetting {
    std::vector<Part> parts;  ///< more than one where the exit has torn the graph apart
    Restored restored;        ///< zeros after full retraining
    Recovery all;  ///< over all survivors: costs added up, but the rounds of the part that took longest

    [[nodiscard]] bool torn_apart() const { return parts.size() > 1; }
};

/// Full retraining: every part of the graph without `leaver` learns from the initial weights on, with the
/// options and the seed of `trained`. Its bits are those of a network that never had the leaver, after as
/// many rounds; the scores of `trained` say when to stop and nothing else.
/// @return an error when there is no such node or nobody is left.
[[nodiscard]] tl::expected<DecentralisedForgetting, std::string> retrain_without(
    DecentralisedSgd& trained, const std::string& leaver, const ForgettingOptions& options,
    const Evaluation& evaluation);

/// Roll-back: what a node learns travels one hop a round, so that the leaver's data is in the states of a
/// node d hops away from round d on. Each survivor goes back to its latest kept state of at most d - 1 rounds
/// (neighbours of the leaver to the initial weights; nodes that it cannot reach keep all they have), and all
/// go on from there together.
///
/// The leaver's data is gone then, but not its place: the restored states were mixed with weights that
/// counted it as a neighbour's neighbour. They are those of full retraining, bit for bit, where nothing could
/// be restored (all survivors are neighbours of the leaver, as in a complete graph or around the centre of a
/// star) and in parts of the graph that the leaver never reached.
///
/// Which states there are depends on `DecentralisedOptions::kept_rounds` of `trained`.
[[nodiscard]] tl::expected<DecentralisedForgetting, std::string> roll_back_without(
    DecentralisedSgd& trained, const std::string& leaver, const ForgettingOptions& options,
    const Evaluation& evaluation);

/// For how many rounds the state of each node is free of the data of node `leaver`: hops to it minus 1, and
/// INT64_MAX where it cannot be reached from there. For the leaver itself 0.
[[nodiscard]] std::vector<std::int64_t> clean_rounds(const topologies::Graph& graph,
                                                     topologies::NodeIndex leaver);

struct FederatedForgetting {
    FederatedAveraging network;
    Recovery recovery;
    Restored restored;
};

/// Full retraining of the server's model without `leaver`.
[[nodiscard]] tl::expected<FederatedForgetting, std::string> retrain_without(FederatedAveraging& trained,
                                                                             const std::string& leaver,
                                                                             const ForgettingOptions& options,
                                                                             const Evaluation& evaluation);

/// Roll-back to the server's latest kept model from before the round in which the leaver first took part.
/// With fraction 1 that is the initial one. Equal to full retraining bit for bit where the number of clients
/// in a round is the same with and without the leaver.
[[nodiscard]] tl::expected<FederatedForgetting, std::string> roll_back_without(
    FederatedAveraging& trained, const std::string& leaver, const ForgettingOptions& options,
    const Evaluation& evaluation);

/// Rounds before the leaver first took part, among those trained so far.
[[nodiscard]] std::int64_t clean_rounds(const FederatedAveraging& trained, const std::string& leaver);

}  // namespace unlearn::sim::baselines
