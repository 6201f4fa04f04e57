#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/training.hpp"
#include "sim/baselines/participant.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::baselines {

/// One model trained on the examples of all participants. No node of a decentralized network could train it;
/// it is the upper bound in the comparisons. The lower bound is each node's own model alone, which is
/// learning::train() on that node's data.
class CentralModel {
  public:
    /// Trains in the calling thread, which takes minutes. Without `options` it uses
    /// learning::default_training(). Initial weights and the order of examples come from the random stream of
    /// the whole network.
    [[nodiscard]] static Result<CentralModel> train(const std::vector<Participant>& participants,
                                                    const learning::Architecture& architecture,
                                                    const std::optional<learning::TrainOptions>& options,
                                                    std::uint64_t scenario_seed,
                                                    const learning::Progress& progress = {});

    /// Returns the logits [N, classes] of inputs [N, channels, height, width].
    [[nodiscard]] at::Tensor logits(const at::Tensor& inputs) const;
    [[nodiscard]] double cpu_seconds() const { return cpu_seconds_; }

  private:
    // The model is never handed out: a main model belongs to a node, and this one does not.
    CentralModel(learning::MainModel model, double cpu_seconds)
        : model_(std::move(model)), cpu_seconds_(cpu_seconds) {}

    learning::MainModel model_;
    double cpu_seconds_;
};

}  // namespace unlearn::sim::baselines
