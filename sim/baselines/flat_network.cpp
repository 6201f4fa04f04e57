#include "sim/baselines/flat_network.hpp"

#include <ATen/ATen.h>

#include "node/learning/models.hpp"
#include "sim/baselines/perceptron.hpp"

namespace unlearn::sim::baselines {

Result<std::unique_ptr<FlatNetwork>> make_network(const ModelKind& kind) {
    const auto type = kind.architecture.kind;
    if (type != learning::ArchitectureKind::linear && type != learning::ArchitectureKind::mlp)
        return make_autograd_network(kind);
    const auto possible = learning::expected_tensors(kind.architecture, kind.shape, kind.classes);
    if (!possible) return failed_with(possible.error().message);
    return std::make_unique<Perceptron>(kind);
}

Result<at::Tensor> initial_parameters(const ModelKind& kind, at::Generator generator) {
    const auto model = learning::make_model(kind.architecture, kind.shape, kind.classes, generator);
    if (!model) return failed_with(model.error().message);
    std::vector<at::Tensor> pieces;
    for (const at::Tensor& parameter : model->parameters())
        pieces.push_back(parameter.flatten());
    return at::cat(pieces);
}

}  // namespace unlearn::sim::baselines
