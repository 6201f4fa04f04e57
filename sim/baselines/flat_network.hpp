#pragma once

#include <cstdint>
#include <memory>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <tl/expected.hpp>

#include "node/learning/data/architecture.hpp"

namespace unlearn::sim::baselines {

/// The kind of model that the baselines train.
struct ModelKind {
    learning::Architecture architecture;
    learning::InputShape shape;
    std::int64_t classes = 0;
};

/// Some labelled examples; memory of the caller.
struct Batch {
    at::Tensor inputs;                     ///< [B, channels, height, width] float32, contiguous
    const std::int64_t* labels = nullptr;  ///< B of them
};

/// Computes with parameters that lie in one vector [P] float32, those of the model's tensors one after
/// the other in the order of learning::expected_tensors(): averaging models is then plain arithmetic
/// on vectors. Holds scratch memory and no state: one per worker thread, whatever the number of nodes.
class FlatNetwork {
  public:
    virtual ~FlatNetwork() = default;
    FlatNetwork(const FlatNetwork&) = delete;
    FlatNetwork& operator=(const FlatNetwork&) = delete;

    /// target = keep * target + scale * gradient, where `gradient` is that of the batch's mean cross-entropy
    /// at `parameters`. `target` [P] may be `parameters` itself: keep 1 and scale -rate is then one step of
    /// SGD without a gradient that has to be stored.
    /// @return the mean cross-entropy before that.
    virtual double add_gradient(const at::Tensor& parameters, const Batch& batch, const at::Tensor& target,
                                double keep, double scale) = 0;

    /// Logits [N, classes] of inputs [N, channels, height, width].
    [[nodiscard]] virtual at::Tensor logits(const at::Tensor& parameters, const at::Tensor& inputs) = 0;

  protected:
    FlatNetwork() = default;
};

/// For linear models and multi-layer perceptrons one written out by hand, without autograd; for all others
/// learning::Model under autograd. An error when such a model cannot exist.
[[nodiscard]] tl::expected<std::unique_ptr<FlatNetwork>, std::string> make_network(const ModelKind& kind);

/// learning::Model under autograd whatever the architecture: the reference for the one above.
[[nodiscard]] tl::expected<std::unique_ptr<FlatNetwork>, std::string> make_autograd_network(
    const ModelKind& kind);

/// Fresh weights [P] as learning::make_model() draws them.
[[nodiscard]] tl::expected<at::Tensor, std::string> initial_parameters(const ModelKind& kind,
                                                                       at::Generator generator);

}  // namespace unlearn::sim::baselines
