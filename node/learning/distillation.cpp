#include "node/learning/distillation.hpp"

#include <torch/torch.h>

#include "node/learning/wipe.hpp"

namespace unlearn::learning {

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
    auto model = make_model(seed_architecture, shape, classes, generator);
    if (!model) return tl::unexpected(model.error());

    const double temperature = options.temperature;
    const auto teacher = at::log_softmax(teacher_logits / temperature, 1);
    const auto batch_loss = [&](const at::Tensor& rows) {
        const auto student =
            at::log_softmax(model->forward(reference.inputs().index_select(0, rows)) / temperature, 1);
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
