#pragma once

#include <cstdint>
#include <vector>

#include "sim/baselines/flat_network.hpp"

namespace unlearn::sim::baselines {

/// A fully connected network with ReLU between its layers; without hidden layers it is softmax regression.
/// Forward and backward pass are written by hand. For such a small model, autograd would take about as long
/// for its bookkeeping as for the products, and would need memory for the gradient.
class Perceptron final : public FlatNetwork {
  public:
    explicit Perceptron(const ModelKind& kind);

    double add_gradient(const at::Tensor& parameters, const Batch& batch, const at::Tensor& target,
                        double keep, double scale) override;
    [[nodiscard]] at::Tensor logits(const at::Tensor& parameters, const at::Tensor& inputs) override;

  private:
    struct Layer {
        std::int64_t inputs = 0;
        std::int64_t outputs = 0;
        std::int64_t weight = 0;  // offset of [outputs, inputs] in the vector; the bias [outputs] follows
        at::Tensor activations;   // scratch [rows, outputs]: after ReLU, or the logits
        at::Tensor slopes;        // scratch of the same shape: slopes of the loss, before ReLU
    };

    void reserve(std::int64_t rows);
    void forward(const at::Tensor& parameters, const at::Tensor& inputs);
    void propagate_back(const at::Tensor& parameters, std::size_t layer, std::int64_t rows);

    std::vector<Layer> layers_;
    std::int64_t reserved_ = 0;  // number of rows that the scratch memory holds
};

}  // namespace unlearn::sim::baselines
