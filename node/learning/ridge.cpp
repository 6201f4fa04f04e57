#include "node/learning/ridge.hpp"

#include <array>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/minimise.hpp"
#include "node/learning/ridge_regression.hpp"
#include "node/learning/wipe.hpp"

namespace unlearn::learning {
namespace {

constexpr std::array kStrengths{30.0, 100.0, 300.0, 1'000.0, 3'000.0};
/// Without validation examples.
constexpr double kUsualStrength = 300.0;
constexpr double kUsualSureness = 10.0;
/// What coefficients are multiplied by, at least and at most.
constexpr double kLeastSureness = 1.0;
constexpr double kMostSureness = 100.0;
/// Pulls the factor towards the usual one, because a model that is right about a few examples would be made
/// as sure as possible. This is the cost, in nats over all examples, when its logarithm is off by 1.
constexpr double kPull = 3.0;
/// Of the fit to another model's logits on the reference set.
constexpr double kHeadStrength = 300.0;

// The tensors of a linear model from coefficients [features + 1, classes].
std::vector<NamedTensor> tensors_of(const at::Tensor& coefficients) {
    const auto packed = coefficients.t().to(at::kFloat);
    const std::int64_t features = coefficients.size(0) - 1;
    const auto weight = packed.narrow(1, 0, features).contiguous();
    const auto bias = packed.select(1, features).contiguous();
    const auto values = [](const at::Tensor& tensor) {
        const float* first = tensor.data_ptr<float>();
        return std::vector<float>(first, first + tensor.numel());
    };
    std::vector<NamedTensor> tensors{{"out.weight", {weight.size(0), features}, values(weight)},
                                     {"out.bias", {bias.size(0)}, values(bias)}};
    wipe(packed);
    wipe(weight);
    wipe(bias);
    return tensors;
}

at::Tensor logits_of(const at::Tensor& coefficients, const Inputs& inputs) {
    const std::int64_t features = coefficients.size(0) - 1;
    return at::addmm(coefficients.narrow(0, features, 1), inputs.features().to(at::kDouble),
                     coefficients.narrow(0, 0, features));
}

// How sure a model should be, and the mean cost of a validation example then.
struct Sureness {
    double factor = kUsualSureness;
    double cost = std::numeric_limits<double>::infinity();
};

Sureness best_sureness(const at::Tensor& logits, const at::Tensor& labels) {
    const auto cost_at = [&](double logarithm) {
        const double off = logarithm - std::log(kUsualSureness);
        const double pull = kPull * off * off / static_cast<double>(labels.size(0));
        return at::cross_entropy_loss(logits * std::exp(logarithm), labels).item<double>() + pull;
    };
    constexpr double kPrecision = 1e-3;
    const double best = minimise(std::log(kLeastSureness), std::log(kMostSureness), kPrecision, cost_at);
    return {std::exp(best), cost_at(best)};
}

at::Tensor best_coefficients(const RegressionSums& sums, const Dataset& validation) {
    if (validation.size() == 0) return sums.solve(kUsualStrength).mul_(kUsualSureness);
    at::Tensor best;
    Sureness found;
    for (const double strength : kStrengths) {
        auto coefficients = sums.solve(strength);
        const auto logits = logits_of(coefficients, validation.inputs());
        const Sureness here = best_sureness(logits, validation.labels());
        wipe(logits);
        if (best.defined() && here.cost >= found.cost) {
            wipe(coefficients);
            continue;
        }
        if (best.defined()) wipe(best);
        best = std::move(coefficients);
        found = here;
    }
    return best.mul_(found.factor);
}

}  // namespace

Result<MainModel> fit_ridge(const ValidationSplit& own_data, CancelFlag cancel) {
    const at::NoGradGuard no_gradients;
    const Dataset& data = own_data.train;
    const Architecture ridge{ArchitectureKind::ridge, {}, 0};
    if (auto possible = expected_tensors(ridge, data.shape(), data.classes()); !possible)
        return tl::unexpected(possible.error());
    if (data.size() == 0) return fail("training: there are no examples");
    auto targets = at::zeros({data.size(), data.classes()}, at::kDouble);
    targets.scatter_(1, data.labels().unsqueeze(1), 1.0);
    const auto sums = RegressionSums::over(data.inputs(), targets, cancel);
    if (!sums) return tl::unexpected(sums.error());
    const auto coefficients = best_coefficients(*sums, own_data.validation);
    auto tensors = tensors_of(coefficients);
    wipe(coefficients);
    auto model = load_model(ridge, data.shape(), data.classes(), tensors);
    wipe(tensors);
    if (!model) return tl::unexpected(model.error());
    return MainModel(MainModelKey(), std::make_shared<const Model>(std::move(*model)));
}

Result<std::vector<NamedTensor>> fit_head_to(const at::Tensor& logits, const Inputs& examples,
                                             CancelFlag cancel) {
    const at::NoGradGuard no_gradients;
    // A number that is added to all logits of an example changes nothing, so it need not be fitted.
    const auto targets = (logits - logits.mean(1, true)).to(at::kDouble);
    const auto sums = RegressionSums::over(examples, targets, cancel);
    if (!sums) return tl::unexpected(sums.error());
    const auto coefficients = sums->solve(kHeadStrength);
    auto tensors = tensors_of(coefficients);
    wipe(coefficients);
    return tensors;
}

}  // namespace unlearn::learning
