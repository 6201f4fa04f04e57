#include "node/learning/distillation.hpp"

#include <torch/torch.h>

#include "node/learning/ridge.hpp"
#include "node/learning/wipe.hpp"

namespace unlearn::learning {
namespace {

// A ridge model is a head already. Other models are fitted.
Result<std::vector<NamedTensor>> head_of(const MainModel& main, const at::Tensor& logits,
                                         const ReferenceSet& reference, CancelFlag cancel) {
    const auto* model = dynamic_cast<const Model*>(&main.model());
    if (model != nullptr && model->architecture().kind == ArchitectureKind::ridge)
        return model->export_tensors();
    return fit_head_to(logits, reference.inputs(), cancel);
}

}  // namespace

std::vector<std::uint8_t> Seed::payload() const {
    auto tensors = model_->export_tensors();
    auto bytes = write_safetensors(tensors);
    wipe(tensors);
    return bytes;
}

Result<Seed> distil(const MainModel& main, const ReferenceSet& reference,
                    const Architecture& seed_architecture, const DistilOptions& options,
                    at::Generator generator, const Progress& progress, CancelFlag cancel) {
    if (!(options.temperature > 0.0)) return fail("distillation: the temperature must be positive");
    const at::Tensor teacher_logits = predict_logits(main.model(), reference.inputs());
    const InputShape& shape = main.model().input_shape();
    const std::int64_t classes = teacher_logits.size(1);
    if (auto fine = expected_tensors(seed_architecture, shape, classes, kSeedLimits); !fine) {
        return tl::unexpected(fine.error());
    }
    if (seed_architecture.kind == ArchitectureKind::head) {
        auto tensors = head_of(main, teacher_logits, reference, cancel);
        if (!tensors) return tl::unexpected(tensors.error());
        auto head = load_model(seed_architecture, shape, classes, *tensors);
        wipe(*tensors);
        if (!head) return tl::unexpected(head.error());
        if (progress) progress({1, 1, 0.0});
        return Seed(std::move(*head));
    }
    auto model = make_model(seed_architecture, shape, classes, generator);
    if (!model) return tl::unexpected(model.error());

    const double temperature = options.temperature;
    const auto teacher = at::log_softmax(teacher_logits / temperature, 1);
    const auto batch_loss = [&](const at::Tensor& rows) {
        const auto student =
            at::log_softmax(model->forward(reference.inputs().index_select(rows)) / temperature, 1);
        const auto target = teacher.index_select(0, rows);
        // T^2 keeps gradients as large as they are at T = 1 (Hinton, Vinyals, Dean, arXiv 1503.02531).
        return (target.exp() * (target - student)).sum(1).mean() * (temperature * temperature);
    };
    auto done =
        optimise(*model, reference.size(), batch_loss, options.optimisation, generator, progress, cancel);
    if (!done) return tl::unexpected(done.error());
    return Seed(std::move(*model));
}

}  // namespace unlearn::learning
