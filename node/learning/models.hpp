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
#include "node/learning/inputs.hpp"

namespace unlearn::learning {

/// Turns inputs into logits. Up to rounding, a row's logits do not depend on the other rows. Reading is safe
/// from several threads.
class Classifier {
  public:
    virtual ~Classifier() = default;
    /// B rows -> logits [B, classes] float32.
    [[nodiscard]] virtual at::Tensor forward(const Inputs& inputs) const = 0;
    [[nodiscard]] virtual const InputShape& input_shape() const = 0;
    [[nodiscard]] virtual std::int64_t classes() const = 0;
    [[nodiscard]] virtual std::int64_t parameter_count() const = 0;
    /// Returns copies of all weights in a fixed order. Empty for a model that is read from its user's own
    /// file each time.
    [[nodiscard]] virtual std::vector<NamedTensor> export_tensors() const = 0;

  protected:
    Classifier() = default;
    Classifier(const Classifier&) = default;
    Classifier& operator=(const Classifier&) = default;
};

/// A classifier of the registry (data/architecture.hpp): its weights, and how they turn inputs into logits.
/// Residual nets use group normalisation instead of batch normalisation. Besides the weights there is then no
/// running state to export, wipe and trust, and a row's logits do not depend on the other rows of its batch.
///
/// A model does not share its weights and zeroes them when it dies. Reading is safe from several threads;
/// training is not.
class Model final : public Classifier {
  public:
    Model(Model&& other) noexcept;
    Model& operator=(Model&&) = delete;
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;
    ~Model() override;

    [[nodiscard]] at::Tensor forward(const Inputs& inputs) const override;

    [[nodiscard]] const Architecture& architecture() const { return architecture_; }
    [[nodiscard]] const InputShape& input_shape() const override { return shape_; }
    [[nodiscard]] std::int64_t classes() const override { return classes_; }
    [[nodiscard]] std::int64_t parameter_count() const override;
    /// The weights in the order of expected_tensors().
    [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }
    [[nodiscard]] std::vector<NamedTensor> export_tensors() const override;
    /// Overwrites the weights with zeros.
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

/// Makes a model with fresh weights, all drawn from the given generator: normal with variance 2 / fan-in
/// before a ReLU (He et al., arXiv 1502.01852) and 1 / fan-in in the last layer. Biases are 0.
[[nodiscard]] Result<Model> make_model(const Architecture& architecture, const InputShape& shape,
                                       std::int64_t classes, at::Generator generator);

/// Makes a model with the given weights. Fails unless they are exactly what the architecture asks for.
[[nodiscard]] Result<Model> load_model(const Architecture& architecture, const InputShape& shape,
                                       std::int64_t classes, std::span<const NamedTensor> tensors);

/// The number of rows that predict_logits() computes at once.
constexpr std::int64_t kPredictionRows = 256;
/// Returns the model's logits for many inputs, computed without gradients in chunks of kPredictionRows rows.
/// The bits of a row therefore depend only on the number of inputs.
[[nodiscard]] at::Tensor predict_logits(const Classifier& model, const Inputs& inputs);

}  // namespace unlearn::learning
