#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "node/learning/data/architecture.hpp"
#include "node/learning/data/result.hpp"
#include "node/learning/data/safetensors.hpp"
#include "node/learning/data/table.hpp"

namespace unlearn::learning {

// Turns inputs into logits, one row at a time as far as anybody can see. Reading is safe from several
// threads.
class Classifier {
  public:
    virtual ~Classifier() = default;
    // [B, channels, height, width] float32 -> logits [B, classes] float32.
    [[nodiscard]] virtual at::Tensor forward(const at::Tensor& inputs) const = 0;
    [[nodiscard]] virtual const InputShape& input_shape() const = 0;
    [[nodiscard]] virtual std::int64_t classes() const = 0;
    [[nodiscard]] virtual std::int64_t parameter_count() const = 0;

  protected:
    Classifier() = default;
    Classifier(const Classifier&) = default;
    Classifier& operator=(const Classifier&) = default;
};

// A classifier of the registry (data/architecture.hpp): its weights, and how they turn inputs into logits.
// Residual nets use group normalisation, not batch normalisation: there is no running state that would have
// to be exported, wiped and trusted besides the weights, and a row's logits do not depend on the other rows
// of its batch.
//
// Owns its weights alone and zeroes them when it dies. Reading is safe from several threads; training is not.
class Model final : public Classifier {
  public:
    Model(Model&& other) noexcept;
    Model& operator=(Model&&) = delete;
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;
    ~Model() override;

    [[nodiscard]] at::Tensor forward(const at::Tensor& inputs) const override;

    [[nodiscard]] const Architecture& architecture() const { return architecture_; }
    [[nodiscard]] const InputShape& input_shape() const override { return shape_; }
    [[nodiscard]] std::int64_t classes() const override { return classes_; }
    [[nodiscard]] std::int64_t parameter_count() const override;
    // In the order of expected_tensors().
    [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }
    [[nodiscard]] std::vector<NamedTensor> export_tensors() const;
    // Replaces the weights' memory with zeros at once.
    void wipe();

  private:
    friend Result<Model> make_model(const Architecture&, const InputShape&, std::int64_t, at::Generator);
    friend Result<Model> load_model(const Architecture&, const InputShape&, std::int64_t,
                                    std::span<const NamedTensor>);
    Model(Architecture architecture, const InputShape& shape, std::int64_t classes,
          std::vector<at::Tensor> parameters);

    Architecture architecture_;
    InputShape shape_;
    std::int64_t classes_;
    std::vector<at::Tensor> parameters_;
};

// A model with fresh weights, all drawn from the given generator (normal with variance 2 / fan-in before a
// ReLU: He et al., arXiv 1502.01852; 1 / fan-in in the last layer; biases 0).
[[nodiscard]] Result<Model> make_model(const Architecture& architecture, const InputShape& shape,
                                       std::int64_t classes, at::Generator generator);

// A model with the given weights; fails unless they are exactly what the architecture asks for.
[[nodiscard]] Result<Model> load_model(const Architecture& architecture, const InputShape& shape,
                                       std::int64_t classes, std::span<const NamedTensor> tensors);

// The model's logits for many inputs, computed without gradients in chunks of kPredictionRows rows, so that
// the bits of a row depend on the number of inputs alone.
constexpr std::int64_t kPredictionRows = 256;
[[nodiscard]] at::Tensor predict_logits(const Classifier& model, const at::Tensor& inputs);

}  // namespace unlearn::learning
