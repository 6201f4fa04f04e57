#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/baselines/flat_network.hpp"
#include "sim/baselines/options.hpp"
#include "sim/baselines/participant.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::baselines {

/// Everything that a participant has learnt.
struct State {
    at::Tensor parameters;    ///< [P] float32
    at::Tensor velocity;      ///< [P], undefined without momentum
    std::int64_t rounds = 0;  ///< number of rounds that it took part in

    /// Returns a copy that shares no memory.
    [[nodiscard]] State copy() const;
    [[nodiscard]] std::uint64_t bytes() const;
};

/// Returns the state in which training begins. All participants, or the server, begin with the same weights,
/// drawn from the random stream of the whole network. Lian et al. and McMahan et al. both need that.
[[nodiscard]] Result<State> initial_state(const ModelKind& kind, const LocalOptions& options,
                                          std::uint64_t scenario_seed);

/// Performs the local part of a round. Each worker thread has one, which keeps that worker's scratch memory.
class LocalTrainer {
  public:
    [[nodiscard]] static Result<LocalTrainer> create(const ModelKind& kind, const LocalOptions& options);

    /// Goes over the participant's examples `options.epochs` times and changes `state` in place. The order is
    /// drawn from the random stream of (scenario, participant, this round), so it depends on no other
    /// participant, and training can continue from any kept state. @return the mean loss, or an error when
    /// the loss is no longer finite.
    [[nodiscard]] Result<double> train(const Participant& participant, State& state,
                                       std::uint64_t scenario_seed);

    [[nodiscard]] FlatNetwork& network() { return *network_; }

  private:
    LocalTrainer(const ModelKind& kind, const LocalOptions& options, std::unique_ptr<FlatNetwork> network);
    [[nodiscard]] Batch gather(const Participant& participant, std::size_t first, std::size_t count);
    double step(const Batch& batch, State& state);

    LocalOptions options_;
    std::unique_ptr<FlatNetwork> network_;
    at::Tensor inputs_;  // scratch [batch, channels, height, width]
    std::vector<std::int64_t> labels_;
    std::vector<std::size_t> order_;
};

/// Makes one trainer for each worker, and checks the options.
[[nodiscard]] Result<std::vector<LocalTrainer>> make_trainers(const ModelKind& kind,
                                                              const LocalOptions& options,
                                                              std::size_t workers);

}  // namespace unlearn::sim::baselines
