#pragma once

#include <cstdint>

#include <ATen/core/Generator.h>

namespace unlearn::learning {

// A random generator of its own for one purpose, seeded with stream_seed() (data/random.hpp). Everything in
// this folder draws from a generator it is given and never from LibTorch's global one: another thread's draw
// would change it.
[[nodiscard]] at::Generator make_generator(std::uint64_t seed);

}  // namespace unlearn::learning
