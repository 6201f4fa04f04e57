#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace unlearn::learning {

using ClassMask = std::vector<bool>;  ///< one element per class

/// The votes of one model on some rows.
struct Voter {
    std::span<const float> logits;  ///< [rows, classes], row-major
    const ClassMask* known = nullptr;
    double temperature = 1.0;  ///< the logits are divided by it
    double weight = 1.0;       ///< relative to the other seeds; the median ignores it
};

// Each of the following functions fills the vote on one row, `vote` [classes]. If a logit of the row is not
// finite, the voter abstains: the row counts as one of equal logits.

/// Fills in the logits divided by the temperature, for known and unknown classes alike.
void vote_logits(const Voter& voter, std::size_t row, std::span<double> vote);

/// Fills in the softmax of vote_logits().
void vote_probabilities(const Voter& voter, std::size_t row, std::span<double> vote);

/// Fills in the logarithm of the softmax over the known classes. It is at least -9, which limits the damage
/// that one bad voter can do, and 0 for the classes that the voter does not know.
void vote_log_probabilities(const Voter& voter, std::size_t row, std::span<double> vote);

/// Divides the values by their sum. Does nothing if the sum is not positive.
void normalise(std::span<double> values);

/// Replaces logits with probabilities.
void softmax(std::span<double> values);

/// Returns the sum of the voters' weights.
[[nodiscard]] double total_weight(std::span<const Voter> voters);

}  // namespace unlearn::learning
