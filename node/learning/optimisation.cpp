#include "node/learning/optimisation.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include <torch/torch.h>

#include "node/learning/product_turn.hpp"

namespace unlearn::learning {
namespace {

// Returns the factor of the learning rate at a step: it rises over the first tenth, then falls along a half
// cosine.
double schedule(std::int64_t step, std::int64_t steps) {
    const double progress = static_cast<double>(step) / static_cast<double>(steps);
    constexpr double kWarmUp = 0.1;
    if (progress < kWarmUp)
        return (progress + 1.0 / static_cast<double>(steps)) / (kWarmUp + 1.0 / static_cast<double>(steps));
    return 0.5 * (1.0 + std::cos(std::numbers::pi * (progress - kWarmUp) / (1.0 - kWarmUp)));
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const Model& model,
                                                        const OptimisationOptions& options) {
    if (options.optimizer == Optimizer::sgd) {
        return std::make_unique<torch::optim::SGD>(model.parameters(),
                                                   torch::optim::SGDOptions(options.learning_rate)
                                                       .momentum(0.9)
                                                       .nesterov(true)
                                                       .weight_decay(options.weight_decay));
    }
    return std::make_unique<torch::optim::AdamW>(
        model.parameters(),
        torch::optim::AdamWOptions(options.learning_rate).weight_decay(options.weight_decay));
}

// Enables gradients for the weights as long as it lives.
class GradientScope {
  public:
    explicit GradientScope(const Model& model) : parameters_(model.parameters()) {
        for (const at::Tensor& parameter : parameters_)
            parameter.requires_grad_(true);
    }
    GradientScope(const GradientScope&) = delete;
    GradientScope& operator=(const GradientScope&) = delete;
    ~GradientScope() {
        for (const at::Tensor& parameter : parameters_) {
            parameter.mutable_grad().reset();
            parameter.requires_grad_(false);
        }
    }

  private:
    std::vector<at::Tensor> parameters_;
};

}  // namespace

Result<void> optimise(const Model& model, std::int64_t examples, const BatchLoss& batch_loss,
                      const OptimisationOptions& options, at::Generator generator, const Progress& progress,
                      CancelFlag cancel) {
    if (options.epochs < 0 || options.batch < 1) return fail("training: epochs and batch must be positive");
    if (examples == 0) return fail("training: there are no examples");
    const GradientScope gradients(model);
    const auto optimizer = make_optimizer(model, options);
    const std::int64_t steps_per_epoch = (examples + options.batch - 1) / options.batch;
    std::int64_t step = 0;
    for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
        const auto order = at::randperm(examples, generator, at::TensorOptions(at::kLong));
        auto loss_sum = at::zeros({}, at::kFloat);
        for (std::int64_t first = 0; first < examples; first += options.batch, ++step) {
            if (cancel != nullptr && cancel->load(std::memory_order_relaxed))
                return fail("training was cancelled");
            const auto rows = order.narrow(0, first, std::min(options.batch, examples - first));
            optimizer->param_groups()[0].options().set_lr(options.learning_rate *
                                                          schedule(step, steps_per_epoch * options.epochs));
            const ProductTurn turn;
            optimizer->zero_grad();
            auto loss = batch_loss(rows);
            loss.backward();
            optimizer->step();
            loss_sum += loss.detach();
        }
        const double mean_loss = loss_sum.item<double>() / static_cast<double>(steps_per_epoch);
        if (!std::isfinite(mean_loss))
            return fail("training: the loss is not finite in epoch " + std::to_string(epoch));
        if (progress) progress({epoch, options.epochs, mean_loss});
    }
    return {};
}

}  // namespace unlearn::learning
