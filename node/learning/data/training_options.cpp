#include "node/learning/data/training_options.hpp"

namespace unlearn::learning {

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
    }
    return options;
}

}  // namespace unlearn::learning
