#pragma once

#include <cstdint>
#include <optional>

#include "node/learning/data/architecture.hpp"

/// How models are trained and distilled, and the defaults for each kind. These are plain numbers without
/// tensors, because a new configuration shows them, too.
namespace unlearn::learning {

/// The algorithm that follows the gradient.
enum class Optimizer { adam, sgd };

/// How weights follow a gradient. The learning rate rises over the first tenth of all steps and then falls to
/// 0 along a cosine.
struct OptimisationOptions {
    std::int64_t epochs = 1;
    std::int64_t batch = 32;  ///< examples per step
    double learning_rate = 1e-3;
    double weight_decay = 0.0;  ///< decoupled from the gradient (Loshchilov and Hutter, arXiv 1711.05101)
    Optimizer optimizer = Optimizer::adam;
};

/// How a main model is trained.
struct TrainOptions {
    OptimisationOptions optimisation;
    double label_smoothing = 0.0;  ///< Szegedy et al., arXiv 1512.00567
    /// Images are shifted by up to this many pixels in each direction, anew for every batch. 0 for tables.
    std::int64_t shift_pixels = 0;
};

/// Returns options that suit a few thousand small images, tuned with `tests/bench/learning_trial.cpp`.
[[nodiscard]] TrainOptions default_training(const Architecture& architecture);

/// How a seed is distilled.
struct DistilOptions {
    double temperature = 1.0;  ///< HDUS uses 3 to 9
    OptimisationOptions optimisation;
};

/// Returns options that suit a seed of this kind and about 10,000 reference images. They were found with
/// `tests/bench/learning_trial.cpp` and `topologies/experiments/hdus-tables-resnet.toml`.
[[nodiscard]] DistilOptions default_distillation(const Architecture& seed_architecture);

/// The settings of a configuration. What it leaves out keeps the default of the model's kind.
struct OptimisationSettings {
    std::optional<std::uint32_t> epochs;
    std::optional<std::uint32_t> batch;
    std::optional<double> learning_rate;
    std::optional<double> weight_decay;  ///< training only
    std::optional<double> temperature;   ///< distillation only
};

/// Returns the defaults for the model's kind, overridden by the settings.
[[nodiscard]] TrainOptions train_options(const OptimisationSettings& settings, const Architecture& main);
[[nodiscard]] DistilOptions distil_options(const OptimisationSettings& settings, const Architecture& seed);

}  // namespace unlearn::learning
