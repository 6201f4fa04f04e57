#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Generator.h>

#include "node/learning/data/architecture.hpp"
#include "node/learning/data/result.hpp"
#include "node/learning/data/training_options.hpp"
#include "node/learning/dataset.hpp"
#include "node/learning/models.hpp"
#include "node/learning/optimisation.hpp"
#include "node/learning/training.hpp"

namespace unlearn::learning {

/// A seed model: a small model, distilled from a main model, that may leave the node. Only distil() makes
/// one. Immutable; copies share the model, whose memory is zeroed when the last copy dies.
class Seed {
  public:
    [[nodiscard]] const Model& model() const { return *model_; }
    [[nodiscard]] const Architecture& architecture() const { return model_->architecture(); }
    /// Returns the bytes that peers are sent: safetensors, equal bytes for equal weights.
    [[nodiscard]] std::vector<std::uint8_t> payload() const;

  private:
    friend Result<Seed> distil(const MainModel&, const ReferenceSet&, const Architecture&,
                               const DistilOptions&, at::Generator, const Progress&, CancelFlag);
    explicit Seed(Model model) : model_(std::make_shared<const Model>(std::move(model))) {}

    std::shared_ptr<const Model> model_;
};

/// Distils a main model into a fresh small one, as in HDUS (arXiv 2308.13269). It minimises
///
///     KL(softmax(z_main / T) || softmax(z_seed / T))
///
/// over the reference set, which has no labels. Every seed is a "cold start" and never continues an earlier
/// version. No parameter takes an ensemble or a peer's seed. Blocks for seconds.
///
/// A seed `head` is solved instead: a ridge model's own coefficients, or the linear model of public features
/// that is nearest to the main model's logits on the reference set. `options` and `generator` do not matter.
[[nodiscard]] Result<Seed> distil(const MainModel& main, const ReferenceSet& reference,
                                  const Architecture& seed_architecture, const DistilOptions& options,
                                  at::Generator generator, const Progress& progress = {},
                                  CancelFlag cancel = nullptr);

}  // namespace unlearn::learning
