#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <tl/expected.hpp>

#include "sim/baselines/evaluation.hpp"
#include "sim/baselines/local_training.hpp"
#include "sim/baselines/options.hpp"
#include "sim/baselines/participant.hpp"
#include "sim/baselines/team.hpp"

namespace unlearn::sim::baselines {

/// FedAvg (McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data",
/// arXiv 1602.05629): in every round the server sends its model to some clients, each trains it on its own
/// examples, and the server's next model is their mean, weighted by the number of examples.
///
/// Who takes part in a round is drawn for each client by name, and the lowest numbers are taken: without a
/// client that was not chosen, the choice is the same, as long as the number of chosen ones is.
///
/// Deterministic as DecentralisedSgd is. The team must outlive it; one thread at a time.
class FederatedAveraging {
  public:
    /// @return one line that says what is impossible.
    [[nodiscard]] static tl::expected<FederatedAveraging, std::string> create(
        std::vector<Participant> clients, const FederatedOptions& options, std::uint64_t scenario_seed,
        Team& team);

    /// Trains for that many rounds. After an error it must not be used.
    [[nodiscard]] tl::expected<void, std::string> run(std::int64_t rounds,
                                                      const RoundProgress& progress = {});

    [[nodiscard]] const std::vector<Participant>& clients() const { return clients_; }
    [[nodiscard]] const FederatedOptions& options() const { return options_; }
    [[nodiscard]] std::uint64_t scenario_seed() const { return scenario_seed_; }
    [[nodiscard]] Team& team() const { return *team_; }
    [[nodiscard]] const Cost& cost() const { return cost_; }
    /// The server's model. Not to be written to; changes with the next round.
    [[nodiscard]] const State& state() const { return global_; }
    /// Positions of the clients that take part in a round (counted from 1), ascending.
    [[nodiscard]] std::vector<std::size_t> selected(std::int64_t round) const;

    /// Logits [N, classes] of inputs [N, channels, height, width].
    [[nodiscard]] at::Tensor logits(const at::Tensor& inputs);
    /// The server's model as each client would score it.
    [[nodiscard]] std::vector<double> scores(const Evaluation& evaluation);

    /// The latest kept model after at most that many rounds, at worst the initial one; a copy.
    [[nodiscard]] State kept_state(std::int64_t most_rounds) const;
    [[nodiscard]] std::uint64_t kept_bytes() const;
    /// Makes the server go on from `state`, the model of another server of the same kind; its count of rounds
    /// comes with it.
    void restore(State state);

  private:
    FederatedAveraging(std::vector<Participant> clients, const FederatedOptions& options,
                       std::uint64_t scenario_seed, Team& team, std::vector<LocalTrainer> trainers,
                       State initial);
    [[nodiscard]] tl::expected<double, std::string> round();
    [[nodiscard]] tl::expected<double, std::string> average(const std::vector<std::size_t>& chosen,
                                                            const std::vector<State>& trained);

    std::vector<Participant> clients_;
    FederatedOptions options_;
    std::uint64_t scenario_seed_;
    Team* team_;
    std::vector<LocalTrainer> trainers_;  // one per worker
    State initial_;
    State global_;  // no velocity: momentum begins anew at each client in each round
    std::vector<State> kept_;
    Cost cost_;
};

}  // namespace unlearn::sim::baselines
