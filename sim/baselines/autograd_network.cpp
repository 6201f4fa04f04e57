#include <ATen/ATen.h>

#include "node/learning/generator.hpp"
#include "node/learning/models.hpp"
#include "sim/baselines/flat_network.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::baselines {
namespace {

// A model whose tensors are views of one vector, and their gradients views of another.
class AutogradNetwork final : public FlatNetwork {
  public:
    explicit AutogradNetwork(learning::Model model)
        : model_(std::move(model)),
          parameters_(at::zeros({model_.parameter_count()}, at::kFloat)),
          gradient_(at::zeros_like(parameters_)) {
        std::int64_t begin = 0;
        // These handles share the model's tensors, which cannot be changed from outside otherwise.
        for (at::Tensor tensor : model_.parameters()) {
            const auto view_of = [&](const at::Tensor& vector) {
                return vector.narrow(0, begin, tensor.numel()).view(tensor.sizes());
            };
            const at::Tensor gradient = view_of(gradient_);
            tensor.set_data(view_of(parameters_));
            tensor.requires_grad_(true);
            tensor.mutable_grad() = gradient;
            begin += tensor.numel();
        }
    }

    double add_gradient(const at::Tensor& parameters, const Batch& batch, const at::Tensor& target,
                        double keep, double scale) override {
        load(parameters);
        gradient_.zero_();
        const auto labels = at::from_blob(const_cast<std::int64_t*>(batch.labels), {batch.inputs.size(0)},
                                          at::TensorOptions(at::kLong));
        at::Tensor loss;
        {
            const at::AutoGradMode with_gradients(true);
            loss = at::cross_entropy_loss(model_.forward(batch.inputs), labels);
            loss.backward();
        }
        const at::NoGradGuard no_gradients;
        at::Tensor out = target;
        out.mul_(keep).add_(gradient_, scale);
        return loss.item<double>();
    }

    [[nodiscard]] at::Tensor logits(const at::Tensor& parameters, const at::Tensor& inputs) override {
        load(parameters);
        return learning::predict_logits(model_, inputs);
    }

  private:
    void load(const at::Tensor& parameters) {
        const at::NoGradGuard no_gradients;
        parameters_.copy_(parameters);
    }

    learning::Model model_;
    at::Tensor parameters_;  // [P]
    at::Tensor gradient_;    // [P]
};

}  // namespace

Result<std::unique_ptr<FlatNetwork>> make_autograd_network(const ModelKind& kind) {
    // Its weights are replaced before they are used.
    auto model =
        learning::make_model(kind.architecture, kind.shape, kind.classes, learning::make_generator(0));
    if (!model) return failed_with(model.error().message);
    return std::make_unique<AutogradNetwork>(std::move(*model));
}

}  // namespace unlearn::sim::baselines
