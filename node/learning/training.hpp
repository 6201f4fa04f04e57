#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Generator.h>

#include "node/learning/data/architecture.hpp"
#include "node/learning/data/result.hpp"
#include "node/learning/data/training_options.hpp"
#include "node/learning/dataset.hpp"
#include "node/learning/models.hpp"
#include "node/learning/optimisation.hpp"

namespace unlearn::learning {

// A node's main model. It can only be made by train(), on a Dataset, read back from what this node itself
// stored, or brought along by its user as TorchScript: this is how the compiler sees to it that no main model
// ever learns from a peer's seed or from an ensemble. Immutable; copies share one model, whose memory is
// zeroed when the last one dies.
class MainModel {
  public:
    [[nodiscard]] const Classifier& model() const { return *model_; }

    // The user's own model, trained elsewhere, tried on some of the node's own examples: see load_script().
    [[nodiscard]] static Result<MainModel> from_script(const std::filesystem::path& file,
                                                       const Dataset& own_data);

    // For this node's own disk, never for the network; only for a model of the registry. save() gives
    // safetensors; restore() reads them back.
    [[nodiscard]] std::vector<std::uint8_t> save() const;
    [[nodiscard]] static Result<MainModel> restore(const Architecture& architecture, const InputShape& shape,
                                                   std::int64_t classes, std::span<const std::uint8_t> saved);

  private:
    friend Result<MainModel> train(const Architecture&, const Dataset&, const TrainOptions&, at::Generator,
                                   const Progress&, CancelFlag);
    MainModel() = default;
    explicit MainModel(Model model);

    std::shared_ptr<const Classifier> model_;
    const Model* trained_ = nullptr;  // the same, when it is of the registry
};

// Trains a fresh main model on the owner's own labelled data, by cross-entropy. Weights, order and
// augmentation are drawn from `generator`, which ought to be that of (scenario, this node, purpose). Blocks
// for seconds or minutes.
[[nodiscard]] Result<MainModel> train(const Architecture& architecture, const Dataset& own_data,
                                      const TrainOptions& options, at::Generator generator,
                                      const Progress& progress = {}, CancelFlag cancel = nullptr);

}  // namespace unlearn::learning
