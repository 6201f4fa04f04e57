#include "node/learning/models.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/product_turn.hpp"
#include "node/learning/wipe.hpp"

namespace unlearn::learning {
namespace {

// Hands out a model's weights one by one, in the order in which the layers need them.
class Weights {
  public:
    explicit Weights(const std::vector<at::Tensor>& all) : next_(all.begin()), end_(all.end()) {}
    const at::Tensor& next() {
        UNLEARN_ASSERT(next_ != end_);
        return *next_++;
    }
    [[nodiscard]] std::ptrdiff_t left() const { return end_ - next_; }

  private:
    std::vector<at::Tensor>::const_iterator next_;
    std::vector<at::Tensor>::const_iterator end_;
};

at::Tensor dense(const at::Tensor& inputs, Weights& weights) {
    const at::Tensor& weight = weights.next();
    const at::Tensor& bias = weights.next();
    return at::linear(inputs, weight, bias);
}

// A 3x3 or 1x1 convolution without bias. It keeps the size, divided by the stride.
at::Tensor convolve(const at::Tensor& inputs, const at::Tensor& weight, std::int64_t stride) {
    const std::int64_t padding = weight.size(2) / 2;
    return at::conv2d(inputs, weight, {}, at::IntArrayRef{stride, stride}, at::IntArrayRef{padding, padding});
}

// Takes the largest value of each 2x2 square. LibTorch takes the maxima of many channels at once only if the
// channels lie side by side. The values are the same, and it takes a third of the time, including the copies.
at::Tensor halve(const at::Tensor& x) {
    return at::max_pool2d(x.contiguous(at::MemoryFormat::ChannelsLast), 2).contiguous();
}

at::Tensor forward_mlp(const Architecture& architecture, Weights& weights, const at::Tensor& inputs) {
    at::Tensor x = inputs.flatten(1);
    for (std::size_t i = 0; i < architecture.widths.size(); ++i)
        x = at::relu(dense(x, weights));
    return dense(x, weights);
}

at::Tensor forward_cnn(const Architecture& architecture, Weights& weights, const at::Tensor& inputs) {
    at::Tensor x = inputs;
    for (std::size_t i = 0; i < architecture.widths.size(); ++i) {
        const at::Tensor& weight = weights.next();
        const at::Tensor& bias = weights.next();
        // ReLU is monotonic, so pooling first gives the same result with less work.
        x = at::relu(halve(at::conv2d(x, weight, bias, 1, 1)));
    }
    x = x.flatten(1);
    if (architecture.extra > 0) x = at::relu(dense(x, weights));
    return dense(x, weights);
}

at::Tensor normalise(const at::Tensor& x, Weights& weights) {
    constexpr std::int64_t kMostGroups = 8;
    std::int64_t groups = std::min(kMostGroups, x.size(1));
    while (x.size(1) % groups != 0)
        --groups;
    const at::Tensor& scale = weights.next();
    const at::Tensor& shift = weights.next();
    return at::group_norm(x, groups, scale, shift);
}

at::Tensor forward_block(Weights& weights, const at::Tensor& inputs, std::int64_t stride, bool has_shortcut) {
    at::Tensor x = convolve(inputs, weights.next(), stride);
    x = at::relu(normalise(x, weights));
    x = convolve(x, weights.next(), 1);
    x = normalise(x, weights);
    const at::Tensor skipped = has_shortcut ? convolve(inputs, weights.next(), stride) : inputs;
    return at::relu(x + skipped);
}

at::Tensor forward_resnet(const Architecture& architecture, Weights& weights, const at::Tensor& inputs) {
    at::Tensor x = convolve(inputs, weights.next(), 1);
    x = at::relu(normalise(x, weights));
    for (std::size_t stage = 0; stage < architecture.widths.size(); ++stage) {
        for (std::int64_t block = 0; block < architecture.extra; ++block) {
            const bool narrows = stage > 0 && block == 0;
            x = forward_block(weights, x, narrows ? 2 : 1, narrows);
        }
    }
    return dense(x.mean({2, 3}), weights);
}

at::Tensor fresh_tensor(const TensorShape& wanted, bool is_last_layer, at::Generator& generator) {
    const bool is_weight = wanted.name.ends_with(".weight");
    if (wanted.name.ends_with(".scale")) return at::ones(wanted.shape, at::kFloat);
    if (!is_weight) return at::zeros(wanted.shape, at::kFloat);
    const double fan_in = static_cast<double>(wanted.elements() / wanted.shape[0]);
    auto tensor = at::empty(wanted.shape, at::kFloat);
    return tensor.normal_(0.0, std::sqrt((is_last_layer ? 1.0 : 2.0) / fan_in), generator);
}

}  // namespace

Model::Model(Architecture architecture, const InputShape& shape, std::int64_t classes,
             std::vector<at::Tensor> parameters)
    : architecture_(std::move(architecture)),
      shape_(shape),
      classes_(classes),
      parameters_(std::move(parameters)) {}

// Written out because the base class can be copied but not moved.
Model::Model(Model&& other) noexcept
    : Classifier(),
      architecture_(std::move(other.architecture_)),
      shape_(other.shape_),
      classes_(other.classes_),
      parameters_(std::exchange(other.parameters_, {})) {}

Model::~Model() {
    wipe();
}

void Model::wipe() {
    for (const at::Tensor& parameter : parameters_)
        learning::wipe(parameter);
}

at::Tensor Model::forward(const Inputs& inputs) const {
    Weights weights(parameters_);
    at::Tensor logits;
    switch (architecture_.kind) {
        case ArchitectureKind::linear:
        case ArchitectureKind::mlp:
            logits = forward_mlp(architecture_, weights, inputs.rows());
            break;
        case ArchitectureKind::cnn:
            logits = forward_cnn(architecture_, weights, inputs.rows());
            break;
        case ArchitectureKind::resnet:
            logits = forward_resnet(architecture_, weights, inputs.rows());
            break;
        case ArchitectureKind::ridge:
        case ArchitectureKind::head:
            logits = dense(inputs.features(), weights);
            break;
    }
    UNLEARN_ASSERT(weights.left() == 0);
    return logits;
}

std::int64_t Model::parameter_count() const {
    std::int64_t total = 0;
    for (const at::Tensor& parameter : parameters_)
        total += parameter.numel();
    return total;
}

std::vector<NamedTensor> Model::export_tensors() const {
    const auto shapes = expected_tensors(architecture_, shape_, classes_);
    UNLEARN_ASSERT(shapes && shapes->size() == parameters_.size());
    std::vector<NamedTensor> tensors;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        const float* values = parameters_[i].data_ptr<float>();
        tensors.push_back({(*shapes)[i].name, (*shapes)[i].shape, {values, values + parameters_[i].numel()}});
    }
    return tensors;
}

Result<Model> make_model(const Architecture& architecture, const InputShape& shape, std::int64_t classes,
                         at::Generator generator) {
    const auto wanted = expected_tensors(architecture, shape, classes);
    if (!wanted) return tl::unexpected(wanted.error());
    std::vector<at::Tensor> parameters;
    for (const TensorShape& one : *wanted) {
        parameters.push_back(fresh_tensor(one, one.name == "out.weight", generator));
    }
    return Model(architecture, shape, classes, std::move(parameters));
}

Result<Model> load_model(const Architecture& architecture, const InputShape& shape, std::int64_t classes,
                         std::span<const NamedTensor> tensors) {
    if (auto fine = check_tensors(architecture, shape, classes, tensors); !fine)
        return tl::unexpected(fine.error());
    std::vector<at::Tensor> parameters;
    for (const NamedTensor& tensor : tensors) {
        auto parameter = at::empty(tensor.shape, at::kFloat);
        std::memcpy(parameter.data_ptr<float>(), tensor.values.data(), tensor.values.size() * sizeof(float));
        parameters.push_back(std::move(parameter));
    }
    return Model(architecture, shape, classes, std::move(parameters));
}

at::Tensor predict_logits(const Classifier& model, const Inputs& inputs) {
    const at::NoGradGuard no_gradients;
    auto logits = at::empty({inputs.size(), model.classes()}, at::kFloat);
    for (std::int64_t row = 0; row < inputs.size(); row += kPredictionRows) {
        const std::int64_t rows = std::min(kPredictionRows, inputs.size() - row);
        const ProductTurn turn;
        logits.narrow(0, row, rows).copy_(model.forward(inputs.narrow(row, rows)));
    }
    return logits;
}

}  // namespace unlearn::learning
