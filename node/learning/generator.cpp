#include "node/learning/generator.hpp"

#include <ATen/CPUGeneratorImpl.h>

namespace unlearn::learning {

at::Generator make_generator(std::uint64_t seed) {
    return at::make_generator<at::CPUGeneratorImpl>(seed);
}

}  // namespace unlearn::learning
