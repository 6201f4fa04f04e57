#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <tl/expected.hpp>

#include "sim/baselines/evaluation.hpp"
#include "sim/baselines/local_training.hpp"
#include "sim/baselines/mixing.hpp"
#include "sim/baselines/options.hpp"
#include "sim/baselines/participant.hpp"
#include "sim/baselines/team.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::baselines {

/// D-PSGD (Lian et al., "Can Decentralized Algorithms Outperform Centralized Algorithms?", NeurIPS 2017,
/// arXiv 1705.09056), synchronous: in every round each node trains on its own examples, beginning with what
/// it has, and then replaces its parameters by the mean of its own and its neighbours', weighted as
/// mixing_weights() says. Whatever a node has learnt is in everybody's parameters after as many rounds as
/// there are hops: this is why leaving is expensive here, and what HDUS is compared with.
///
/// Deterministic: the bits depend on the arguments of create() and the number of rounds, not on the number of
/// workers. Holds one vector of parameters per node (two with momentum) and what `kept_rounds` asks for. The
/// team must outlive it; one thread at a time.
class DecentralisedSgd {
  public:
    /// The participants in the order of the graph's names. The graph may be disconnected: its parts then
    /// learn apart from each other.
    /// @return one line that says what is impossible.
    [[nodiscard]] static tl::expected<DecentralisedSgd, std::string> create(
        topologies::Graph graph, std::vector<Participant> participants, const DecentralisedOptions& options,
        std::uint64_t scenario_seed, Team& team);

    /// Trains for that many rounds. After an error the network must not be used.
    [[nodiscard]] tl::expected<void, std::string> run(std::int64_t rounds,
                                                      const RoundProgress& progress = {});

    [[nodiscard]] std::size_t size() const { return participants_.size(); }
    [[nodiscard]] const topologies::Graph& graph() const { return graph_; }
    [[nodiscard]] const std::vector<Participant>& participants() const { return participants_; }
    [[nodiscard]] const DecentralisedOptions& options() const { return options_; }
    [[nodiscard]] std::uint64_t scenario_seed() const { return scenario_seed_; }
    [[nodiscard]] Team& team() const { return *team_; }
    [[nodiscard]] const Cost& cost() const { return cost_; }

    /// Not to be written to; changes with the next round.
    [[nodiscard]] const State& state(std::size_t node) const { return states_[node]; }
    /// Logits [N, classes] of inputs [N, channels, height, width].
    [[nodiscard]] at::Tensor logits(std::size_t node, const at::Tensor& inputs);
    /// The score of every node.
    [[nodiscard]] tl::expected<std::vector<double>, std::string> scores(const Evaluation& evaluation);

    /// The latest kept state of a node after at most that many rounds; after 0 rounds there always is one,
    /// the initial state. In memory of its own.
    [[nodiscard]] State kept_state(std::size_t node, std::int64_t most_rounds) const;
    /// Bytes that the kept states of all nodes take.
    [[nodiscard]] std::uint64_t kept_bytes() const;
    /// Makes a node go on from `state`, which was another network's of the same kind of model. Its own count
    /// of rounds comes with it, and decides which order it will see its examples in.
    void restore(std::size_t node, State state);

  private:
    DecentralisedSgd(topologies::Graph graph, std::vector<Participant> participants,
                     const DecentralisedOptions& options, std::uint64_t scenario_seed, Team& team,
                     std::vector<LocalTrainer> trainers, const State& initial);
    [[nodiscard]] tl::expected<double, std::string> round();
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
    std::vector<std::vector<State>> kept_;  // [node]: after rounds 1, 2, ...
    Cost cost_;
};

/// The kind of model that these participants train.
[[nodiscard]] ModelKind model_kind(const std::vector<Participant>& participants, const LocalOptions& options);

}  // namespace unlearn::sim::baselines
