#pragma once

#include <cstdint>
#include <vector>

#include "sim/baselines/flat_network.hpp"

namespace unlearn::sim::baselines {

/// A fully connected network with ReLU between its layers, and softmax regression as the one without hidden
/// layers; forward and backward pass by hand. Autograd would take about as long for its bookkeeping as such a
/// small model takes for its products, and would need a gradient in memory.
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
        std::int64_t weight = 0;  // where [outputs, inputs] begins in the vector; the bias [outputs] follows
        at::Tensor activations;   // scratch [rows, outputs]: after ReLU, or the logits
        at::Tensor slopes;        // scratch, the same shape: of the loss, before ReLU
    };

    void reserve(std::int64_t rows);
    void forward(const at::Tensor& parameters, const at::Tensor& inputs);
    void propagate_back(const at::Tensor& parameters, std::size_t layer, std::int64_t rows);

    std::vector<Layer> layers_;
    std::int64_t reserved_ = 0;  // rows
};

}  // namespace unlearn::sim::baselines
