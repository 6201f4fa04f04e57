#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/data/safetensors.hpp"

namespace unlearn::learning {

/// Overwrites numbers with zeros in a way that the compiler may not leave out. Everything that shares the
/// tensor's memory sees the zeros.
void wipe(const at::Tensor& tensor);
void wipe(std::vector<float>& values);
void wipe(std::vector<NamedTensor>& tensors);

/// Overwrites what BLAS keeps of the matrices that it multiplied last: it packs them into buffers of its own,
/// which live as long as the process. Reaches only the buffer that the next product would use; where products
/// take turns (product_turn.hpp), there is no other. Takes about a millisecond.
void overwrite_blas_buffers();

}  // namespace unlearn::learning
