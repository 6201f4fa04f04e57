#pragma once

#include <cstdint>

#include <ATen/core/Generator.h>

namespace unlearn::learning {

/// Makes a random generator for one purpose, seeded with stream_seed() (data/random.hpp). Everything in this
/// folder draws from a generator that is passed in and never from LibTorch's global one, because a draw in
/// another thread would change its numbers.
[[nodiscard]] at::Generator make_generator(std::uint64_t seed);

}  // namespace unlearn::learning
