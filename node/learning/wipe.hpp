#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/data/safetensors.hpp"

namespace unlearn::learning {

// Overwrites numbers with zeros in a way that the compiler may not leave out. Everybody who shares the
// tensor's memory sees the zeros.
void wipe(const at::Tensor& tensor);
void wipe(std::vector<float>& values);
void wipe(std::vector<NamedTensor>& tensors);

}  // namespace unlearn::learning
