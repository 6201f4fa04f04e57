#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "node/learning/aggregation.hpp"

namespace unlearn::learning {

// Whether a held seed would do harm: judged by what this seed alone says about the reference set and about
// its holder's own validation data. Errs towards using a seed, for the mixture bounds what a bad one can do;
// what is held aside is shown with the reason and judged again when the holder's own part changes.
namespace judgement {

// float32 holds no more than two digits after the point above this, so odds of 1.01 can no longer be told
// from even ones. Honest seeds stay within about 100.
constexpr double kExtremeLogit = 1e5;

// How much of its answer a seed takes from the input, as the mutual information of input and answer over the
// reference set in nats: 0 for a constant seed, about 1 to 2 for one that tells ten classes apart. One that
// sees the single odd example in a hundred still has 0.05.
constexpr double kLeastInformation = 0.01;

// A seed that claims to know several classes (each has at least kKnownMass of an equal share of its mass,
// with ten classes 2 %) and yet gives the same answer to more than this share of the reference set says with
// that answer that it knows one. From kLeastReferenceRows on the difference from 2 % is not chance.
constexpr double kOneAnswer = 0.995;
constexpr std::size_t kLeastReferenceRows = 500;

// On validation rows of classes that the seed knows, it must not be credible that it is right less often than
// this: twice the share 1/m that guessing among its m classes gets, or this part of the way from guessing to
// always right, whichever asks less (the first where classes are many, the second where they are few).
// Weights drawn at random are right about as often as guessing, and with permuted labels less often than
// that.
constexpr double kTimesChance = 2.0;
constexpr double kPartOfTheWay = 0.15;
// "Credible" is an exact binomial bound: a seed exactly as good as asked is held aside once in a thousand.
constexpr double kSignificance = 1e-3;
// With fewer such rows than this only the checks above apply: not even none right out of them would be
// significant for ten classes (0.8^30 = 0.0012).
constexpr std::size_t kLeastRows = 31;

}  // namespace judgement

// Why the seed is to be held aside, in one line with the figures, or nothing. All logits are finite; `labels`
// are those of the validation rows.
[[nodiscard]] std::optional<std::string> judge_seed(const Voter& on_reference, const Voter& on_validation,
                                                    std::span<const std::int64_t> labels);

// The probability that at most `successes` of `trials` independent events of this probability happen.
[[nodiscard]] double binomial_cdf(std::size_t successes, std::size_t trials, double probability);

}  // namespace unlearn::learning
