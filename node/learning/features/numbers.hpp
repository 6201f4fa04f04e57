#pragma once

#include "node/learning/data/random.hpp"

/// Functions that give the same bits on every machine. Those of the standard library may be rounded
/// differently in each; these use only additions, products, quotients and square roots, which IEEE 754 rounds
/// correctly.
namespace unlearn::learning {

/// Returns the cosine of an angle in turns: cosine_of_turns(1) is 1. Exact to about 1e-15 for |turns| < 2^40.
[[nodiscard]] double cosine_of_turns(double turns);

/// Returns the natural logarithm of a positive normal number, exact to about 1e-15 of it or of 1.
[[nodiscard]] double portable_log(double value);

/// Draws from the standard normal distribution (Marsaglia and Bray's polar method, 1964).
[[nodiscard]] double portable_normal(RandomStream& stream);

}  // namespace unlearn::learning
