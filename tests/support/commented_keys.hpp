#pragma once

#include <initializer_list>
#include <string>

#include <doctest/doctest.h>

#include "node/learning/data/training_options.hpp"

/// For configurations that show, commented out, what is done without them.
namespace unlearn::testing {

/// The lines that are commented out become keys without their "# ".
inline std::string with_commented_keys(std::string text, std::initializer_list<const char*> keys) {
    for (const std::string key : keys) {
        const auto commented = "\n# " + key + " = ";
        for (auto at = text.find(commented); at != std::string::npos; at = text.find(commented, at))
            text.erase(at + 1, 2);
    }
    return text;
}

/// What was read from such a text is what the library does by itself with these models.
inline void check_shows_defaults(const learning::OptimisationSettings& training,
                                 const learning::OptimisationSettings& distillation, const std::string& main,
                                 const std::string& seed) {
    const auto trained = learning::default_training(*learning::parse_architecture(main)).optimisation;
    CHECK(training.epochs == trained.epochs);
    CHECK(training.batch == trained.batch);
    CHECK(training.learning_rate == trained.learning_rate);
    CHECK(training.weight_decay == trained.weight_decay);
    const auto distilled = learning::default_distillation(*learning::parse_architecture(seed));
    CHECK(distillation.epochs == distilled.optimisation.epochs);
    CHECK(distillation.batch == distilled.optimisation.batch);
    CHECK(distillation.learning_rate == distilled.optimisation.learning_rate);
    CHECK(distillation.temperature == distilled.temperature);
}

}  // namespace unlearn::testing
