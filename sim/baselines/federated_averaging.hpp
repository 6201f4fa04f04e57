#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/baselines/evaluation.hpp"
#include "sim/baselines/local_training.hpp"
#include "sim/baselines/options.hpp"
#include "sim/baselines/participant.hpp"
#include "sim/baselines/team.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::baselines {

/// FedAvg (McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", arXiv
/// 1602.05629). In every round the server sends its model to some clients, and each trains it on its own
/// examples. The server's next model is the mean of theirs, weighted by the number of examples.
///
/// The clients of a round are chosen by a number that is drawn for each client by name; the lowest numbers
/// take part. Removing a client that was not chosen does not change the choice, as long as the number of
/// chosen clients stays the same.
///
/// Deterministic in the same way as DecentralisedSgd. The team must outlive it. Only one thread may use it at
/// a time.
class FederatedAveraging {
  public:
    /// @return an error of one line that says what is impossible.
    [[nodiscard]] static Result<FederatedAveraging> create(std::vector<Participant> clients,
                                                           const FederatedOptions& options,
                                                           std::uint64_t scenario_seed, Team& team);

    /// Trains for that many rounds. After an error it must not be used.
    [[nodiscard]] Result<void> run(std::int64_t rounds, const RoundProgress& progress = {});

    [[nodiscard]] const std::vector<Participant>& clients() const { return clients_; }
    [[nodiscard]] const FederatedOptions& options() const { return options_; }
    [[nodiscard]] std::uint64_t scenario_seed() const { return scenario_seed_; }
    [[nodiscard]] Team& team() const { return *team_; }
    [[nodiscard]] const Cost& cost() const { return cost_; }
    /// The server's model. It must not be written to, and changes with the next round.
    [[nodiscard]] const State& state() const { return global_; }
    /// Returns the positions of the clients that take part in a round (counted from 1), ascending.
    [[nodiscard]] std::vector<std::size_t> selected(std::int64_t round) const;

    /// Returns the logits [N, classes] of inputs [N, channels, height, width].
    [[nodiscard]] at::Tensor logits(const at::Tensor& inputs);
    /// Returns the score of the server's model for each client.
    [[nodiscard]] std::vector<double> scores(const Evaluation& evaluation);

    /// Returns a copy of the latest kept model after at most that many rounds. If none was kept, that is the
    /// initial model.
    [[nodiscard]] State kept_state(std::int64_t most_rounds) const;
    [[nodiscard]] std::uint64_t kept_bytes() const;
    /// Makes the server continue from `state`, the model of another server with the same kind of model. The
    /// state brings its own count of rounds.
    void restore(State state);

  private:
    FederatedAveraging(std::vector<Participant> clients, const FederatedOptions& options,
                       std::uint64_t scenario_seed, Team& team, std::vector<LocalTrainer> trainers,
                       State initial);
    [[nodiscard]] Result<double> round();
    [[nodiscard]] Result<double> average(const std::vector<std::size_t>& chosen,
                                         const std::vector<State>& trained);

    std::vector<Participant> clients_;
    FederatedOptions options_;
    std::uint64_t scenario_seed_;
    Team* team_;
    std::vector<LocalTrainer> trainers_;  // one per worker
    State initial_;
    State global_;  // without velocity: momentum restarts at each client in each round
    std::vector<State> kept_;
    Cost cost_;
};

}  // namespace unlearn::sim::baselines
