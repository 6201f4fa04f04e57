#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "node/learning/aggregation/voter.hpp"

namespace unlearn::learning {

/// Whether a held seed would do harm, judged by what this seed alone says about the reference set and about
/// its holder's own validation data. In doubt a seed is used, because the mixture limits what a bad one can
/// do. A seed held aside is shown with the reason and is judged again when the holder's own part changes.
namespace judgement {

/// Above this, a float32 has at most two digits after the point, so odds of 1.01 can no longer be told from
/// even ones. Honest seeds stay within about 100.
constexpr double kExtremeLogit = 1e5;

/// The least that a seed's answers must depend on its input, as the mutual information of input and answer
/// over the reference set in nats. It is 0 for a constant seed and about 1 to 2 for one that tells ten
/// classes apart. A seed that recognises a single odd example in a hundred still has 0.05.
constexpr double kLeastInformation = 0.01;

/// A seed claims to know the classes that have at least kKnownMass of an equal share of its mass (2 % with
/// ten classes). If it claims several and yet gives the same answer to more than this share of the reference
/// set, its answers show that it knows only one. From kLeastReferenceRows rows on, the difference from 2 % is
/// not chance.
constexpr double kOneAnswer = 0.995;
constexpr std::size_t kLeastReferenceRows = 500;

/// The least accuracy on validation rows of classes that the seed knows. It is the lower of two values: this
/// many times the share 1/m that guessing among its m classes gets, and this part of the way from guessing to
/// always right. The first is lower with many classes, the second with few. Random weights are right about as
/// often as guessing, and permuted labels less often.
constexpr double kTimesChance = 2.0;
constexpr double kPartOfTheWay = 0.15;
/// A seed is held aside if an exact binomial test shows with this significance that it falls short. A seed
/// exactly as good as required is held aside once in a thousand cases.
constexpr double kSignificance = 1e-3;
/// With fewer such rows, only the checks above apply. With ten classes, not even 30 wrong answers in 30 rows
/// would be significant (0.8^30 = 0.0012).
constexpr std::size_t kLeastRows = 31;

}  // namespace judgement

/// Returns why the seed should be held aside, in one line with the figures, or nothing. All logits must be
/// finite; `labels` are those of the validation rows.
[[nodiscard]] std::optional<std::string> judge_seed(const Voter& on_reference, const Voter& on_validation,
                                                    std::span<const std::int64_t> labels);

/// Returns the probability that at most `successes` of `trials` independent events of this probability
/// happen.
[[nodiscard]] double binomial_cdf(std::size_t successes, std::size_t trials, double probability);

}  // namespace unlearn::learning
