#pragma once

#include <cassert>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace unlearn::topologies {

/// Random draws that are the same on every machine and compiler.
///
/// The standard defines what std::mt19937_64 yields, but not what std::*_distribution and std::shuffle make
/// of it, so those are not used here.
class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    /// Returns a whole number from 0 to `bound` - 1, all equally likely. `bound` must be at least 1.
    std::uint64_t below(std::uint64_t bound) {
        assert(bound > 0);
        // 2^64 mod bound: smaller draws would favour the low results, so they are drawn again.
        const std::uint64_t rejected = (0 - bound) % bound;
        std::uint64_t draw = engine_();
        while (draw < rejected)
            draw = engine_();
        return draw % bound;
    }

    /// Returns a number from 0 up to but excluding 1.
    double uniform() {
        constexpr double kTwoToMinus53 = 1.0 / 9007199254740992.0;
        return static_cast<double>(engine_() >> 11) * kTwoToMinus53;
    }

    /// Returns true with this probability.
    bool chance(double probability) { return uniform() < probability; }

    /// Shuffles by the Fisher-Yates method.
    template <typename T>
    void shuffle(std::vector<T>& items) {
        for (std::size_t i = items.size(); i > 1; --i)
            std::swap(items[i - 1], items[below(i)]);
    }

  private:
    std::mt19937_64 engine_;
};

}  // namespace unlearn::topologies
