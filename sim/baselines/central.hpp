#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <tl/expected.hpp>

#include "node/learning/training.hpp"
#include "sim/baselines/participant.hpp"

namespace unlearn::sim::baselines {

/// One model trained on the examples of all participants, which nobody in a decentralized network could do:
/// the upper bound in the comparisons. (The lower one, each node's own model alone, is learning::train() on
/// what that node has.)
class CentralModel {
  public:
    /// `options`: none for learning::default_training(). Weights and order come from the stream of the
    /// whole network. Trains in the calling thread, for minutes.
    [[nodiscard]] static tl::expected<CentralModel, std::string> train(
        const std::vector<Participant>& participants, const learning::Architecture& architecture,
        const std::optional<learning::TrainOptions>& options, std::uint64_t scenario_seed,
        const learning::Progress& progress = {});

    /// Logits [N, classes] of inputs [N, channels, height, width].
    [[nodiscard]] at::Tensor logits(const at::Tensor& inputs) const;
    [[nodiscard]] double cpu_seconds() const { return cpu_seconds_; }

  private:
    // Never handed out: a main model is some node's, and this one is nobody's.
    CentralModel(learning::MainModel model, double cpu_seconds)
        : model_(std::move(model)), cpu_seconds_(cpu_seconds) {}

    learning::MainModel model_;
    double cpu_seconds_;
};

}  // namespace unlearn::sim::baselines
