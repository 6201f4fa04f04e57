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

// A seed model: what of a main model may leave its node. Only distil() makes one. Immutable; copies share the
// model, whose memory is zeroed when the last one dies.
class Seed {
  public:
    [[nodiscard]] const Model& model() const { return *model_; }
    [[nodiscard]] const Architecture& architecture() const { return model_->architecture(); }
    // What peers are sent: safetensors, equal bytes for equal weights.
    [[nodiscard]] std::vector<std::uint8_t> payload() const;

  private:
    friend Result<Seed> distil(const MainModel&, const ReferenceSet&, const Architecture&,
                               const DistilOptions&, at::Generator, const Progress&, CancelFlag);
    explicit Seed(Model model) : model_(std::make_shared<const Model>(std::move(model))) {}

    std::shared_ptr<const Model> model_;
};

// Distils a main model into a fresh small one ("cold start": never from an earlier version) as in HDUS (arXiv
// 2308.13269): minimises KL(softmax(z_main / T) || softmax(z_seed / T)) over the reference set, whose labels
// nobody knows. There is nothing to pass an ensemble or a peer's seed to. Blocks for seconds.
[[nodiscard]] Result<Seed> distil(const MainModel& main, const ReferenceSet& reference,
                                  const Architecture& seed_architecture, const DistilOptions& options,
                                  at::Generator generator, const Progress& progress = {},
                                  CancelFlag cancel = nullptr);

}  // namespace unlearn::learning
