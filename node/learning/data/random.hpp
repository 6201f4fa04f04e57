#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace unlearn::learning {

/// Returns the seed of the random stream for one purpose of one node. It depends on nothing else, so a node
/// draws the same numbers whatever its peers are. Names may hold any bytes; "" stands for the whole network.
[[nodiscard]] std::uint64_t stream_seed(std::uint64_t scenario_seed, std::string_view node_name,
                                        std::string_view purpose);

/// A stream of random numbers that is the same with every standard library (xoshiro256** by Blackman and
/// Vigna, seeded by splitmix64). The std::*_distribution classes may draw differently in each library. Not
/// for cryptography. Only one thread at a time may use it.
class RandomStream {
  public:
    explicit RandomStream(std::uint64_t seed);

    [[nodiscard]] std::uint64_t next();
    /// Returns a number uniform over [0, bound), without bias; `bound` must not be 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);
    /// Returns a number uniform over [0, 1) in steps of 2^-53.
    [[nodiscard]] double uniform();
    [[nodiscard]] double normal();
    /// Returns a gamma-distributed number with the given shape and scale 1 (Marsaglia and Tsang, 2000). The
    /// shape must be positive.
    [[nodiscard]] double gamma(double shape);

    template <typename T>
    void shuffle(std::span<T> items) {
        for (std::size_t left = items.size(); left > 1; --left) {
            std::swap(items[left - 1], items[below(left)]);
        }
    }

  private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace unlearn::learning
