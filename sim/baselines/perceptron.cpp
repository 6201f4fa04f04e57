#include "sim/baselines/perceptron.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/models.hpp"

namespace unlearn::sim::baselines {
namespace {

at::Tensor weight_in(const at::Tensor& vector, std::int64_t begin, std::int64_t outputs,
                     std::int64_t inputs) {
    return vector.narrow(0, begin, outputs * inputs).view({outputs, inputs});
}

// Adds the bias to every row, and applies ReLU in hidden layers.
void finish_layer(float* values, const float* bias, std::int64_t rows, std::int64_t width, bool hidden) {
    for (std::int64_t row = 0; row < rows; ++row, values += width) {
        for (std::int64_t i = 0; i < width; ++i)
            values[i] += bias[i];
        if (!hidden) continue;
        for (std::int64_t i = 0; i < width; ++i)
            values[i] = values[i] > 0.0F ? values[i] : 0.0F;
    }
}

// Computes the cross-entropy of softmax(logits) for one row, and writes its slopes in the logits, times
// `share`. @return the loss.
double cross_entropy(const float* logits, float* slopes, std::int64_t classes, std::int64_t label,
                     float share) {
    const float highest = *std::max_element(logits, logits + classes);
    float sum = 0.0F;
    for (std::int64_t i = 0; i < classes; ++i) {
        slopes[i] = std::exp(logits[i] - highest);
        sum += slopes[i];
    }
    for (std::int64_t i = 0; i < classes; ++i)
        slopes[i] *= share / sum;
    slopes[label] -= share;
    return static_cast<double>(std::log(sum)) - static_cast<double>(logits[label] - highest);
}

void add_bias_gradient(float* target, const float* slopes, std::int64_t rows, std::int64_t width, float keep,
                       float scale) {
    for (std::int64_t i = 0; i < width; ++i)
        target[i] *= keep;
    for (std::int64_t row = 0; row < rows; ++row, slopes += width)
        for (std::int64_t i = 0; i < width; ++i)
            target[i] += scale * slopes[i];
}

}  // namespace

Perceptron::Perceptron(const ModelKind& kind) {
    std::int64_t begin = 0;
    std::int64_t inputs = kind.shape.size();
    auto widths = kind.architecture.widths;
    widths.push_back(kind.classes);
    for (const std::int64_t outputs : widths) {
        layers_.push_back({inputs, outputs, begin, {}, {}});
        begin += outputs * inputs + outputs;
        inputs = outputs;
    }
}

void Perceptron::reserve(std::int64_t rows) {
    if (rows <= reserved_) return;
    for (Layer& layer : layers_) {
        layer.activations = at::empty({rows, layer.outputs}, at::kFloat);
        layer.slopes = at::empty({rows, layer.outputs}, at::kFloat);
    }
    reserved_ = rows;
}

void Perceptron::forward(const at::Tensor& parameters, const at::Tensor& inputs) {
    const std::int64_t rows = inputs.size(0);
    reserve(rows);
    at::Tensor x = inputs.view({rows, layers_[0].inputs});
    for (Layer& layer : layers_) {
        at::Tensor out = layer.activations.narrow(0, 0, rows);
        at::mm_out(out, x, weight_in(parameters, layer.weight, layer.outputs, layer.inputs).t());
        const float* bias = parameters.data_ptr<float>() + layer.weight + layer.outputs * layer.inputs;
        finish_layer(out.data_ptr<float>(), bias, rows, layer.outputs, &layer != &layers_.back());
        x = out;
    }
}

double Perceptron::add_gradient(const at::Tensor& parameters, const Batch& batch, const at::Tensor& target,
                                double keep, double scale) {
    const at::NoGradGuard no_gradients;
    const std::int64_t rows = batch.inputs.size(0);
    forward(parameters, batch.inputs);

    Layer& last = layers_.back();
    double loss = 0.0;
    for (std::int64_t row = 0; row < rows; ++row) {
        UNLEARN_ASSERT(batch.labels[row] >= 0 && batch.labels[row] < last.outputs);
        loss += cross_entropy(last.activations.data_ptr<float>() + row * last.outputs,
                              last.slopes.data_ptr<float>() + row * last.outputs, last.outputs,
                              batch.labels[row], 1.0F / static_cast<float>(rows));
    }
    // Computes all slopes first, because `target` may be the parameters that they are computed from.
    for (std::size_t layer = layers_.size() - 1; layer > 0; --layer)
        propagate_back(parameters, layer, rows);

    at::Tensor x = batch.inputs.view({rows, layers_[0].inputs});
    for (const Layer& layer : layers_) {
        const at::Tensor slopes = layer.slopes.narrow(0, 0, rows);
        at::Tensor weight = weight_in(target, layer.weight, layer.outputs, layer.inputs);
        at::addmm_out(weight, weight, slopes.t(), x, keep, scale);
        add_bias_gradient(target.data_ptr<float>() + layer.weight + layer.outputs * layer.inputs,
                          slopes.data_ptr<float>(), rows, layer.outputs, static_cast<float>(keep),
                          static_cast<float>(scale));
        x = layer.activations.narrow(0, 0, rows);
    }
    return loss / static_cast<double>(rows);
}

// Computes the slopes of the layer below from those of `layer`. They are 0 where ReLU cut off.
void Perceptron::propagate_back(const at::Tensor& parameters, std::size_t layer, std::int64_t rows) {
    const Layer& above = layers_[layer];
    Layer& below = layers_[layer - 1];
    at::Tensor slopes = below.slopes.narrow(0, 0, rows);
    at::mm_out(slopes, above.slopes.narrow(0, 0, rows),
               weight_in(parameters, above.weight, above.outputs, above.inputs));
    float* slope = slopes.data_ptr<float>();
    const float* activation = below.activations.data_ptr<float>();
    for (std::int64_t i = 0; i < rows * below.outputs; ++i)
        slope[i] = activation[i] > 0.0F ? slope[i] : 0.0F;
}

at::Tensor Perceptron::logits(const at::Tensor& parameters, const at::Tensor& inputs) {
    const at::NoGradGuard no_gradients;
    auto out = at::empty({inputs.size(0), layers_.back().outputs}, at::kFloat);
    for (std::int64_t row = 0; row < inputs.size(0); row += learning::kPredictionRows) {
        const std::int64_t rows = std::min(learning::kPredictionRows, inputs.size(0) - row);
        forward(parameters, inputs.narrow(0, row, rows));
        out.narrow(0, row, rows).copy_(layers_.back().activations.narrow(0, 0, rows));
    }
    return out;
}

}  // namespace unlearn::sim::baselines
