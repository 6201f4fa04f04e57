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

class MainModel;
struct ValidationSplit;

/// The right to make a main model. Only the friends below have it: they learn from a Dataset, read what this
/// node itself stored, or load what its user brought. Anyone who adds a friend must show that no peer's seed
/// and no ensemble can reach the models it makes (docs/decisions/0018).
class MainModelKey {
    explicit MainModelKey() = default;
    friend class MainModel;
    friend Result<MainModel> train(const Architecture&, const Dataset&, const TrainOptions&, at::Generator,
                                   const Progress&, CancelFlag);
    friend Result<MainModel> fit_ridge(const ValidationSplit&, CancelFlag);
};

/// A node's main model. Making one requires a MainModelKey; in this way the compiler ensures that no main
/// model ever learns from a peer's seed or from an ensemble. Immutable; copies share one model, whose memory
/// is zeroed when the last copy dies.
class MainModel {
  public:
    MainModel(MainModelKey key, std::shared_ptr<const Classifier> model);

    [[nodiscard]] const Classifier& model() const { return *model_; }

    /// Loads a model that the user trained elsewhere and tries it on some of the node's own examples; see
    /// load_script().
    [[nodiscard]] static Result<MainModel> from_script(const std::filesystem::path& file,
                                                       const Dataset& own_data);

    /// Returns the weights as safetensors, for this node's own disk and never for the network. Must not be
    /// called for a model from a script.
    [[nodiscard]] std::vector<std::uint8_t> save() const;
    /// Restores a model of the registry from what save() returned. Fails unless the bytes are exactly such a
    /// model.
    [[nodiscard]] static Result<MainModel> restore(const Architecture& architecture, const InputShape& shape,
                                                   std::int64_t classes, std::span<const std::uint8_t> saved);

  private:
    std::shared_ptr<const Classifier> model_;
};

/// Trains a fresh main model on the owner's own labelled data, by cross-entropy. Weights, order and
/// augmentation are drawn from `generator`, which should be the one for (scenario, this node, purpose).
/// Blocks for seconds or minutes. Models that are solved instead (`ridge`) are refused; see learn().
[[nodiscard]] Result<MainModel> train(const Architecture& architecture, const Dataset& own_data,
                                      const TrainOptions& options, at::Generator generator,
                                      const Progress& progress = {}, CancelFlag cancel = nullptr);

/// Makes a main model of any kind from a node's own data: solves it, or trains it with train(). Only solving
/// uses the validation examples.
[[nodiscard]] Result<MainModel> learn(const Architecture& architecture, const ValidationSplit& own_data,
                                      const TrainOptions& options, at::Generator generator,
                                      const Progress& progress = {}, CancelFlag cancel = nullptr);

}  // namespace unlearn::learning
