#pragma once

#include <map>
#include <span>
#include <vector>

#include "node/learning/dataset.hpp"
#include "node/learning/ensemble.hpp"

/// Ensembles scored without asking their models again: a seed says the same wherever it is held, so what it
/// says about the test set is computed once.
namespace unlearn::sim::experiments {

/// What each owner's seed says about the test set: logits [T, classes], row-major.
using SeedLogits = std::map<learning::MemberId, std::span<const float>>;

/// Probabilities for the test set, [T, classes] under each prior, row-major.
struct Answers {
    std::vector<float> own_prior;
    std::vector<float> uniform_prior;
};

/// What the snapshot predicts for the test set, to the bit, where its main model says `main_logits`, [T,
/// classes] row-major. `seeds` must have the owner of each of its members.
[[nodiscard]] Answers answers_of(const learning::Ensemble& ensemble, std::span<const float> main_logits,
                                 const SeedLogits& seeds);

/// Parts of one in the two scopes of report::Accuracy.
struct ScopedAccuracy {
    double own = 0.0;   ///< the test set weighted by the node's own distribution of classes
    double full = 0.0;  ///< the whole test set
};

/// Of the snapshot's node, which has the snapshot's own distribution of classes.
[[nodiscard]] ScopedAccuracy accuracy_of(const learning::Ensemble& ensemble, Answers answers,
                                         const learning::Dataset& test);

}  // namespace unlearn::sim::experiments
