#pragma once

#include <cstdint>
#include <memory>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "node/learning/data/architecture.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::baselines {

/// The kind of model that the baselines train.
struct ModelKind {
    learning::Architecture architecture;
    learning::InputShape shape;
    std::int64_t classes = 0;
};

/// Labelled examples in memory that the caller owns.
struct Batch {
    at::Tensor inputs;                     ///< [B, channels, height, width] float32, contiguous
    const std::int64_t* labels = nullptr;  ///< [B]
};

/// Computes with parameters in one vector [P] float32, which holds the model's tensors in the order of
/// learning::expected_tensors(). Averaging models is then plain arithmetic on vectors. Holds scratch memory
/// but no state, so that one per worker thread is enough for any number of nodes.
class FlatNetwork {
  public:
    virtual ~FlatNetwork() = default;
    FlatNetwork(const FlatNetwork&) = delete;
    FlatNetwork& operator=(const FlatNetwork&) = delete;

    /// Computes target = keep * target + scale * gradient. `gradient` is that of the batch's mean
    /// cross-entropy at `parameters`. `target` [P] may be `parameters` itself: with keep = 1 and scale =
    /// -rate, this is one step of SGD without storing the gradient. @return the mean cross-entropy before
    /// that step.
    virtual double add_gradient(const at::Tensor& parameters, const Batch& batch, const at::Tensor& target,
                                double keep, double scale) = 0;

    /// Returns the logits [N, classes] of inputs [N, channels, height, width].
    [[nodiscard]] virtual at::Tensor logits(const at::Tensor& parameters, const at::Tensor& inputs) = 0;

  protected:
    FlatNetwork() = default;
};

/// Makes a network for this kind of model: without autograd for linear models and multi-layer perceptrons,
/// learning::Model under autograd for all others. Returns an error when such a model cannot exist.
[[nodiscard]] Result<std::unique_ptr<FlatNetwork>> make_network(const ModelKind& kind);

/// Makes a network that is learning::Model under autograd, whatever the architecture. It is the reference for
/// the one without autograd.
[[nodiscard]] Result<std::unique_ptr<FlatNetwork>> make_autograd_network(const ModelKind& kind);

/// Draws fresh weights [P] as learning::make_model() does.
[[nodiscard]] Result<at::Tensor> initial_parameters(const ModelKind& kind, at::Generator generator);

}  // namespace unlearn::sim::baselines
