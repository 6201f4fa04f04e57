#pragma once

#include <map>
#include <span>
#include <vector>

#include "node/learning/dataset.hpp"
#include "node/learning/ensemble/ensemble.hpp"

/// Scores ensembles without running their models again. A seed gives the same answers wherever it is held, so
/// its answers for the test set are computed once.
namespace unlearn::sim::experiments {

/// The logits of each owner's seed for the test set: [T, classes], row-major.
using SeedLogits = std::map<learning::MemberId, std::span<const float>>;

/// Probabilities for the test set under each prior: [T, classes], row-major.
struct Answers {
    std::vector<float> own_prior;
    std::vector<float> uniform_prior;
};

/// Returns what the snapshot predicts for the test set, equal to the bit. `main_logits` are those of its main
/// model: [T, classes], row-major. `seeds` must have the owner of each of its members.
[[nodiscard]] Answers answers_of(const learning::Ensemble& ensemble, std::span<const float> main_logits,
                                 const SeedLogits& seeds);

/// Accuracies from 0 to 1 in the two scopes of report::Accuracy.
struct ScopedAccuracy {
    double own = 0.0;   ///< the test set weighted by the node's own distribution of classes
    double full = 0.0;  ///< the whole test set
};

/// Returns the accuracy of these answers. The node's own distribution of classes is that of the snapshot.
[[nodiscard]] ScopedAccuracy accuracy_of(const learning::Ensemble& ensemble, Answers answers,
                                         const learning::Dataset& test);

}  // namespace unlearn::sim::experiments
