#include "node/learning/ensemble/fused_mlp.hpp"

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/wipe.hpp"

namespace unlearn::learning {

bool FusedMlp::supports(const Architecture& architecture) {
    return architecture.kind == ArchitectureKind::linear || architecture.kind == ArchitectureKind::mlp ||
           architecture.sees_features();
}

FusedMlp::FusedMlp(std::span<const Model* const> models) : models_(static_cast<std::int64_t>(models.size())) {
    UNLEARN_ASSERT(!models.empty() && supports(models.front()->architecture()));
    const std::size_t tensors = models.front()->parameters().size();
    for (std::size_t i = 0; i < tensors; i += 2) {
        std::vector<at::Tensor> weights;
        std::vector<at::Tensor> biases;
        for (const Model* model : models) {
            UNLEARN_ASSERT(model->architecture() == models.front()->architecture());
            weights.push_back(model->parameters()[i]);
            biases.push_back(model->parameters()[i + 1]);
        }
        layers_.push_back({at::stack(weights), at::stack(biases).unsqueeze(1)});
    }
}

FusedMlp::~FusedMlp() {
    wipe();
}

void FusedMlp::wipe() {
    for (const Layer& layer : layers_) {
        learning::wipe(layer.weight);
        learning::wipe(layer.bias);
    }
}

at::Tensor FusedMlp::forward(const at::Tensor& inputs) const {
    at::Tensor x = inputs.flatten(1).unsqueeze(0).expand({models_, inputs.size(0), -1});
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        if (i > 0) x = at::relu(x);
        x = at::baddbmm(layers_[i].bias, x, layers_[i].weight.transpose(1, 2));
    }
    return x;
}

}  // namespace unlearn::learning
