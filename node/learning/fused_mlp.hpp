#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/models.hpp"

namespace unlearn::learning {

// Several fully connected models of one architecture, evaluated by one batched product per layer. Each model
// gets the same bits whatever the others are and however many; one wide product would not give that. Holds
// its own copy of the weights, which wipe() zeroes, and so does the destructor.
class FusedMlp {
  public:
    [[nodiscard]] static bool supports(const Architecture& architecture);

    // All models have the same architecture, input shape and classes; at least one.
    explicit FusedMlp(std::span<const Model* const> models);
    FusedMlp(const FusedMlp&) = delete;
    FusedMlp& operator=(const FusedMlp&) = delete;
    ~FusedMlp();

    // [B, ...] float32 -> [models, B, classes].
    [[nodiscard]] at::Tensor forward(const at::Tensor& inputs) const;
    void wipe();

  private:
    struct Layer {
        at::Tensor weight;  // [models, out, in]
        at::Tensor bias;    // [models, 1, out]
    };

    std::int64_t models_;
    std::vector<Layer> layers_;
};

}  // namespace unlearn::learning
