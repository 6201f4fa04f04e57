#pragma once

#include <cstdint>

#include "node/learning/data/architecture.hpp"

// How models are trained and distilled, and what suits each kind. Plain numbers without tensors: a new
// configuration shows them, too.
namespace unlearn::learning {

enum class Optimizer { adam, sgd };

// How weights follow a gradient. The learning rate rises over the first tenth of all steps and then falls to
// 0 along a cosine.
struct OptimisationOptions {
    std::int64_t epochs = 1;
    std::int64_t batch = 32;  // examples in a step
    double learning_rate = 1e-3;
    double weight_decay = 0.0;  // decoupled from the gradient (Loshchilov and Hutter, arXiv 1711.05101)
    Optimizer optimizer = Optimizer::adam;
};

struct TrainOptions {
    OptimisationOptions optimisation;
    double label_smoothing = 0.0;  // Szegedy et al., arXiv 1512.00567
    // Images are moved by up to this many pixels in each direction, anew for every batch. 0 for tables.
    std::int64_t shift_pixels = 0;
};

// Options that suit a few thousand small images; what `tests/bench/learning_trial.cpp` was tuned to.
[[nodiscard]] TrainOptions default_training(const Architecture& architecture);

// The defaults suit cnn:8x16 and were found with tests/bench/learning_trial.cpp; a fully connected seed is
// cheap enough for 30 epochs. HDUS uses a temperature of 3 to 9.
struct DistilOptions {
    double temperature = 1.0;
    OptimisationOptions optimisation{.epochs = 8, .batch = 64, .learning_rate = 5e-3};
};

}  // namespace unlearn::learning
