#include "node/learning/training.hpp"

#include <torch/torch.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/ridge.hpp"
#include "node/learning/script_model.hpp"
#include "node/learning/wipe.hpp"

namespace unlearn::learning {
namespace {

// Moves the whole batch by one random offset and fills the border with zeros.
at::Tensor shifted(const at::Tensor& images, std::int64_t most, at::Generator& generator) {
    const auto offsets = at::randint(0, 2 * most + 1, {2}, generator, at::TensorOptions(at::kLong));
    const auto* offset = offsets.data_ptr<std::int64_t>();
    const auto padded = at::constant_pad_nd(images, {most, most, most, most});
    return padded.narrow(2, offset[0], images.size(2)).narrow(3, offset[1], images.size(3)).contiguous();
}

}  // namespace

MainModel::MainModel(MainModelKey /*key*/, std::shared_ptr<const Classifier> model)
    : model_(std::move(model)) {}

Result<MainModel> MainModel::from_script(const std::filesystem::path& file, const Dataset& own_data) {
    const at::Tensor trial = own_data.inputs().narrow(0, std::min(kPredictionRows, own_data.size())).rows();
    auto script = load_script(file, own_data.shape(), own_data.classes(), trial);
    if (!script) return tl::unexpected(script.error());
    return MainModel(MainModelKey(), std::move(*script));
}

std::vector<std::uint8_t> MainModel::save() const {
    auto tensors = model_->export_tensors();
    UNLEARN_ASSERT(!tensors.empty());
    auto bytes = write_safetensors(tensors);
    wipe(tensors);
    return bytes;
}

Result<MainModel> MainModel::restore(const Architecture& architecture, const InputShape& shape,
                                     std::int64_t classes, std::span<const std::uint8_t> saved) {
    auto tensors = read_safetensors(saved);
    if (!tensors) return tl::unexpected(tensors.error());
    auto model = load_model(architecture, shape, classes, *tensors);
    wipe(*tensors);
    if (!model) return tl::unexpected(model.error());
    return MainModel(MainModelKey(), std::make_shared<const Model>(std::move(*model)));
}

Result<MainModel> train(const Architecture& architecture, const Dataset& own_data,
                        const TrainOptions& options, at::Generator generator, const Progress& progress,
                        CancelFlag cancel) {
    if (architecture.kind == ArchitectureKind::ridge)
        return fail("architecture " + architecture.text() + " is solved, not trained");
    auto model = make_model(architecture, own_data.shape(), own_data.classes(), generator);
    if (!model) return tl::unexpected(model.error());
    const auto batch_loss = [&](const at::Tensor& rows) {
        at::Tensor images = own_data.inputs().rows().index_select(0, rows);
        if (options.shift_pixels > 0) images = shifted(images, options.shift_pixels, generator);
        return at::cross_entropy_loss(model->forward(images), own_data.labels().index_select(0, rows), {},
                                      at::Reduction::Mean, -100, options.label_smoothing);
    };
    auto done =
        optimise(*model, own_data.size(), batch_loss, options.optimisation, generator, progress, cancel);
    if (!done) return tl::unexpected(done.error());
    return MainModel(MainModelKey(), std::make_shared<const Model>(std::move(*model)));
}

Result<MainModel> learn(const Architecture& architecture, const ValidationSplit& own_data,
                        const TrainOptions& options, at::Generator generator, const Progress& progress,
                        CancelFlag cancel) {
    if (architecture.kind == ArchitectureKind::ridge) {
        auto main = fit_ridge(own_data, cancel);
        if (main && progress) progress({1, 1, 0.0});
        return main;
    }
    return train(architecture, own_data.train, options, std::move(generator), progress, cancel);
}

}  // namespace unlearn::learning
