#include "node/learning/features/numbers.hpp"

#include <cmath>

namespace unlearn::learning {
namespace {

constexpr double kPi = 0x1.921fb54442d18p+1;
constexpr double kLogOf2 = 0x1.62e42fefa39efp-1;
constexpr double kHalfRoot = 0x1.6a09e667f3bcdp-1;  // the square root of 1/2

// The Taylor series of the cosine, for |angle| up to a quarter of a turn.
double cosine_of_small(double angle) {
    // The last term is below 1e-17 there.
    constexpr int kTerms = 11;
    const double square = angle * angle;
    double sum = 0.0;
    for (int term = kTerms; term > 0; --term) {
        const double n = 2.0 * term;
        sum = (1.0 - sum) * square / (n * (n - 1.0));
    }
    return 1.0 - sum;
}

}  // namespace

double cosine_of_turns(double turns) {
    double part = turns - std::floor(turns);
    if (part > 0.5) part = 1.0 - part;
    if (part > 0.25) return -cosine_of_small(2.0 * kPi * (0.5 - part));
    return cosine_of_small(2.0 * kPi * part);
}

double portable_log(double value) {
    int exponent = 0;
    double mantissa = std::frexp(value, &exponent);
    if (mantissa < kHalfRoot) {
        mantissa *= 2.0;
        --exponent;
    }
    // log m = 2 artanh((m - 1) / (m + 1)); the quotient is at most 0.172, so 12 terms suffice.
    constexpr int kTerms = 12;
    const double quotient = (mantissa - 1.0) / (mantissa + 1.0);
    const double square = quotient * quotient;
    double sum = 0.0;
    for (int term = kTerms; term >= 0; --term)
        sum = sum * square + 1.0 / (2.0 * term + 1.0);
    return 2.0 * quotient * sum + exponent * kLogOf2;
}

double portable_normal(RandomStream& stream) {
    for (;;) {
        const double x = 2.0 * stream.uniform() - 1.0;
        const double y = 2.0 * stream.uniform() - 1.0;
        const double square = x * x + y * y;
        if (square >= 1.0 || square == 0.0) continue;
        return x * std::sqrt(-2.0 * portable_log(square) / square);
    }
}

}  // namespace unlearn::learning
