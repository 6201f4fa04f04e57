#include "node/learning/data/training_options.hpp"

#include <doctest/doctest.h>

using namespace unlearn::learning;

namespace {

Architecture architecture(const char* text) {
    return *parse_architecture(text);
}

}  // namespace

TEST_CASE("what a configuration leaves out keeps the default of the model's kind") {
    const OptimisationSettings nothing;
    for (const char* kind : {"linear", "mlp:32", "cnn:8x16", "resnet:8x12+1"}) {
        CAPTURE(kind);
        const auto trained = train_options(nothing, architecture(kind)).optimisation;
        CHECK(trained.epochs == default_training(architecture(kind)).optimisation.epochs);
        CHECK(trained.weight_decay == default_training(architecture(kind)).optimisation.weight_decay);
        const auto distilled = distil_options(nothing, architecture(kind));
        CHECK(distilled.optimisation.epochs == default_distillation(architecture(kind)).optimisation.epochs);
        CHECK(distilled.temperature == 1.0);
    }
    CHECK(distil_options(nothing, architecture("resnet:8x12+1")).optimisation.epochs >
          distil_options(nothing, architecture("cnn:8x16")).optimisation.epochs);
}

TEST_CASE("what it says replaces the default, and only that") {
    OptimisationSettings settings;
    settings.epochs = 3;
    settings.learning_rate = 0.25;
    settings.temperature = 6.0;
    const auto cnn = architecture("cnn:8x16");

    const auto distilled = distil_options(settings, cnn);
    CHECK(distilled.optimisation.epochs == 3);
    CHECK(distilled.optimisation.learning_rate == 0.25);
    CHECK(distilled.optimisation.batch == default_distillation(cnn).optimisation.batch);
    CHECK(distilled.temperature == 6.0);

    settings = {};
    settings.batch = 7;
    settings.weight_decay = 0.0;
    const auto trained = train_options(settings, cnn).optimisation;
    CHECK(trained.batch == 7);
    CHECK(trained.weight_decay == 0.0);
    CHECK(trained.epochs == default_training(cnn).optimisation.epochs);
    CHECK(trained.learning_rate == default_training(cnn).optimisation.learning_rate);
}
