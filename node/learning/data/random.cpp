#include "node/learning/data/random.hpp"

#include <bit>
#include <cmath>
#include <numbers>

#include "node/learning/data/assert.hpp"

namespace unlearn::learning {
namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15U;

// The finaliser of splitmix64: every input bit changes about half of the output bits.
std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

std::uint64_t absorb(std::uint64_t state, std::uint64_t word) {
    return mix((state ^ word) + kGolden);
}

// The length goes in first, so that ("ab", "c") and ("a", "bc") differ.
std::uint64_t absorb(std::uint64_t state, std::string_view text) {
    state = absorb(state, text.size());
    for (std::size_t start = 0; start < text.size(); start += 8) {
        std::uint64_t word = 0;
        for (std::size_t i = start; i < std::min(start + 8, text.size()); ++i) {
            word = word << 8 | static_cast<unsigned char>(text[i]);
        }
        state = absorb(state, word);
    }
    return state;
}

}  // namespace

std::uint64_t stream_seed(std::uint64_t scenario_seed, std::string_view node_name, std::string_view purpose) {
    return absorb(absorb(absorb(kGolden, scenario_seed), node_name), purpose);
}

RandomStream::RandomStream(std::uint64_t seed) : state_{} {
    for (std::uint64_t& word : state_) {
        seed += kGolden;
        word = mix(seed);
    }
}

std::uint64_t RandomStream::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
    UNLEARN_ASSERT(bound > 0);
    // 2^64 mod bound: smaller draws would favour small results, so they are drawn again.
    const std::uint64_t rejected = (0 - bound) % bound;
    std::uint64_t drawn = next();
    while (drawn < rejected)
        drawn = next();
    return drawn % bound;
}

double RandomStream::uniform() {
    return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

double RandomStream::normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double RandomStream::gamma(double shape) {
    UNLEARN_ASSERT(shape > 0.0);
    if (shape < 1.0) {
        const double boosted = gamma(shape + 1.0);
        return boosted * std::pow(1.0 - uniform(), 1.0 / shape);
    }
    const double d = shape - 1.0 / 3.0;
    const double c = 1.0 / std::sqrt(9.0 * d);
    for (;;) {
        const double x = normal();
        const double v = std::pow(1.0 + c * x, 3.0);
        if (v > 0.0 && std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
}

}  // namespace unlearn::learning
