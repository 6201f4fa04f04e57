#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "node/learning/data/result.hpp"

namespace unlearn::learning {

/// One named array of float32 numbers, row-major.
struct NamedTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// The limits of what a reader accepts. The defaults fit every seed of the registry (architecture.hpp).
struct SafetensorsLimits {
    std::size_t header_bytes = 64 * 1024;
    std::size_t tensors = 512;
    std::size_t total_bytes = std::size_t{64} << 20;
};

/// Writes the safetensors format (https://github.com/huggingface/safetensors): the header's length as 8
/// little-endian bytes, a JSON header padded with spaces to a multiple of 8 bytes, then the numbers of one
/// tensor after the other. Equal tensors give equal bytes.
[[nodiscard]] std::vector<std::uint8_t> write_safetensors(std::span<const NamedTensor> tensors);

/// Reads what a peer may have sent. It is stricter than the format: only float32, only finite numbers, no
/// metadata, no duplicate names, no empty tensors, no holes, overlaps or bytes left over. The tensors come in
/// the order of their bytes. Memory is allocated in proportion to the bytes given. The error is one line that
/// names the tensor.
[[nodiscard]] Result<std::vector<NamedTensor>> read_safetensors(std::span<const std::uint8_t> bytes,
                                                                const SafetensorsLimits& limits = {});

}  // namespace unlearn::learning
