#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/models.hpp"

namespace unlearn::learning {

/// Several fully connected models of one architecture, evaluated by one batched product per layer. Each model
/// gets the same bits however many other models there are and whatever they are; one wide product would not
/// give that. The object has its own copy of the weights, which wipe() and the destructor zero.
class FusedMlp {
  public:
    [[nodiscard]] static bool supports(const Architecture& architecture);

    /// All models must have the same architecture, input shape and classes. At least one is required.
    explicit FusedMlp(std::span<const Model* const> models);
    FusedMlp(const FusedMlp&) = delete;
    FusedMlp& operator=(const FusedMlp&) = delete;
    ~FusedMlp();

    /// Turns values or features [B, ...] float32, whichever the models see, into logits [models, B, classes].
    [[nodiscard]] at::Tensor forward(const at::Tensor& inputs) const;
    void wipe();

  private:
    struct Layer {
        at::Tensor weight;  ///< [models, out, in]
        at::Tensor bias;    ///< [models, 1, out]
    };

    std::int64_t models_;
    std::vector<Layer> layers_;
};

}  // namespace unlearn::learning
