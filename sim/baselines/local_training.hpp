#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/baselines/flat_network.hpp"
#include "sim/baselines/options.hpp"
#include "sim/baselines/participant.hpp"

namespace unlearn::sim::baselines {

/// Everything that a participant has become by learning.
struct State {
    at::Tensor parameters;    ///< [P] float32
    at::Tensor velocity;      ///< [P], undefined without momentum
    std::int64_t rounds = 0;  ///< that it has taken part in

    /// In memory of its own.
    [[nodiscard]] State copy() const;
    [[nodiscard]] std::uint64_t bytes() const;
};

/// Where a participant's or the server's training begins: the same weights at all, drawn from the stream of
/// the whole network (Lian et al. and McMahan et al. both need that).
[[nodiscard]] tl::expected<State, std::string> initial_state(const ModelKind& kind,
                                                             const LocalOptions& options,
                                                             std::uint64_t scenario_seed);

/// The local part of a round. One per worker thread; keeps that worker's scratch memory.
class LocalTrainer {
  public:
    [[nodiscard]] static tl::expected<LocalTrainer, std::string> create(const ModelKind& kind,
                                                                        const LocalOptions& options);

    /// Goes `options.epochs` times over the participant's examples, changing `state` in place. The order is
    /// drawn from the stream of (scenario, participant, this round), so that it depends on nobody else and
    /// training can go on from any state that was kept.
    /// @return the mean loss, or why it cannot go on: the loss is no longer finite.
    [[nodiscard]] tl::expected<double, std::string> train(const Participant& participant, State& state,
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

/// A trainer for each of `workers`; also checks the options.
[[nodiscard]] tl::expected<std::vector<LocalTrainer>, std::string> make_trainers(const ModelKind& kind,
                                                                                 const LocalOptions& options,
                                                                                 std::size_t workers);

}  // namespace unlearn::sim::baselines
