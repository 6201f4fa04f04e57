#include "node/learning/data/training_options.hpp"

namespace unlearn::learning {
namespace {

void override_with(const OptimisationSettings& settings, OptimisationOptions& options) {
    if (settings.epochs) options.epochs = *settings.epochs;
    if (settings.batch) options.batch = *settings.batch;
    options.learning_rate = settings.learning_rate.value_or(options.learning_rate);
    options.weight_decay = settings.weight_decay.value_or(options.weight_decay);
}

}  // namespace

TrainOptions default_training(const Architecture& architecture) {
    TrainOptions options;
    OptimisationOptions& optimisation = options.optimisation;
    optimisation.batch = 32;
    switch (architecture.kind) {
        case ArchitectureKind::linear:
            optimisation.epochs = 20;
            optimisation.learning_rate = 2e-3;
            break;
        case ArchitectureKind::mlp:
            optimisation.epochs = 40;
            optimisation.learning_rate = 1e-3;
            optimisation.weight_decay = 0.5;
            break;
        case ArchitectureKind::cnn:
        case ArchitectureKind::resnet:
            optimisation.epochs = 15;
            optimisation.learning_rate = 1e-3;
            optimisation.weight_decay = 0.3;
            break;
        case ArchitectureKind::ridge:
        case ArchitectureKind::head:  // solved, not optimised
            break;
    }
    return options;
}

DistilOptions default_distillation(const Architecture& seed_architecture) {
    DistilOptions options;
    OptimisationOptions& optimisation = options.optimisation;
    optimisation.batch = 64;
    optimisation.learning_rate = 5e-3;
    switch (seed_architecture.kind) {
        case ArchitectureKind::linear:
        case ArchitectureKind::mlp:
        case ArchitectureKind::resnet:
            optimisation.epochs = 32;
            break;
        case ArchitectureKind::cnn:
            optimisation.epochs = 8;
            break;
        case ArchitectureKind::ridge:
        case ArchitectureKind::head:  // solved, not optimised
            break;
    }
    return options;
}

TrainOptions train_options(const OptimisationSettings& settings, const Architecture& main) {
    TrainOptions options = default_training(main);
    override_with(settings, options.optimisation);
    return options;
}

DistilOptions distil_options(const OptimisationSettings& settings, const Architecture& seed) {
    DistilOptions options = default_distillation(seed);
    override_with(settings, options.optimisation);
    options.temperature = settings.temperature.value_or(options.temperature);
    return options;
}

}  // namespace unlearn::learning
