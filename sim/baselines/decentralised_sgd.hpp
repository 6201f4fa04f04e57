#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/baselines/evaluation.hpp"
#include "sim/baselines/local_training.hpp"
#include "sim/baselines/mixing.hpp"
#include "sim/baselines/options.hpp"
#include "sim/baselines/participant.hpp"
#include "sim/baselines/team.hpp"
#include "sim/result.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::baselines {

/// Synchronous D-PSGD (Lian et al., "Can Decentralized Algorithms Outperform Centralized Algorithms?",
/// NeurIPS 2017, arXiv 1705.09056). In every round each node continues training on its own examples. It then
/// replaces its parameters by the mean of its own and its neighbours', weighted by mixing_weights(). What a
/// node has learnt has spread to all nodes after as many rounds as there are hops. This is why leaving is
/// expensive here, and why HDUS is compared with it.
///
/// Deterministic: the bits depend on the arguments of create() and the number of rounds, not on the number of
/// workers. Holds one vector of parameters per node (two with momentum), and what `kept_rounds` asks for. The
/// team must outlive it. Only one thread may use it at a time.
class DecentralisedSgd {
  public:
    /// The participants must be in the order of the graph's names. The graph may be disconnected; its parts
    /// then learn separately. @return an error of one line that says what is impossible.
    [[nodiscard]] static Result<DecentralisedSgd> create(topologies::Graph graph,
                                                         std::vector<Participant> participants,
                                                         const DecentralisedOptions& options,
                                                         std::uint64_t scenario_seed, Team& team);

    /// Trains for that many rounds. After an error the network must not be used.
    [[nodiscard]] Result<void> run(std::int64_t rounds, const RoundProgress& progress = {});

    [[nodiscard]] std::size_t size() const { return participants_.size(); }
    [[nodiscard]] const topologies::Graph& graph() const { return graph_; }
    [[nodiscard]] const std::vector<Participant>& participants() const { return participants_; }
    [[nodiscard]] const DecentralisedOptions& options() const { return options_; }
    [[nodiscard]] std::uint64_t scenario_seed() const { return scenario_seed_; }
    [[nodiscard]] Team& team() const { return *team_; }
    [[nodiscard]] const Cost& cost() const { return cost_; }

    /// Must not be written to. Changes with the next round.
    [[nodiscard]] const State& state(std::size_t node) const { return states_[node]; }
    /// Returns the logits [N, classes] of inputs [N, channels, height, width].
    [[nodiscard]] at::Tensor logits(std::size_t node, const at::Tensor& inputs);
    /// Returns the score of every node.
    [[nodiscard]] Result<std::vector<double>> scores(const Evaluation& evaluation);

    /// Returns a copy of the latest kept state of a node after at most that many rounds. For 0 rounds that is
    /// the initial state.
    [[nodiscard]] State kept_state(std::size_t node, std::int64_t most_rounds) const;
    /// Returns the number of bytes of the kept states of all nodes.
    [[nodiscard]] std::uint64_t kept_bytes() const;
    /// Makes a node continue from `state`, which comes from another network with the same kind of model. The
    /// state brings its own count of rounds, which decides the order of the node's examples.
    void restore(std::size_t node, State state);

  private:
    DecentralisedSgd(topologies::Graph graph, std::vector<Participant> participants,
                     const DecentralisedOptions& options, std::uint64_t scenario_seed, Team& team,
                     std::vector<LocalTrainer> trainers, const State& initial);
    [[nodiscard]] Result<double> round();
    void keep();

    topologies::Graph graph_;
    std::vector<Participant> participants_;
    DecentralisedOptions options_;
    std::uint64_t scenario_seed_;
    Team* team_;
    std::vector<LocalTrainer> trainers_;  // one per worker
    std::vector<WeightedSum> weights_;
    std::uint64_t directed_edges_;
    State initial_;
    std::vector<State> states_;
    std::vector<std::vector<State>> kept_;  // [node]: the states after rounds 1, 2, ...
    Cost cost_;
};

/// Returns the kind of model that these participants train.
[[nodiscard]] ModelKind model_kind(const std::vector<Participant>& participants, const LocalOptions& options);

}  // namespace unlearn::sim::baselines
