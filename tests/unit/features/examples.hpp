#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "node/learning/data/table.hpp"

namespace unlearn::testing {

/// Images with bright rectangles on noise, without labels. Pixels are whole numbers over 255.
[[nodiscard]] learning::LabelledData images(std::size_t count, const learning::InputShape& shape,
                                            std::uint64_t seed);

/// Rows of numbers with mean 0 and deviation 1.
[[nodiscard]] learning::LabelledData rows(std::size_t count, std::int64_t columns, std::uint64_t seed);

/// FNV-1a over the bytes of the numbers, for golden values.
template <typename T>
[[nodiscard]] std::uint64_t hash_of(const std::vector<T>& numbers) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto* bytes = reinterpret_cast<const unsigned char*>(numbers.data());
    for (std::size_t i = 0; i < numbers.size() * sizeof(T); ++i)
        hash = (hash ^ bytes[i]) * 0x100000001b3U;
    return hash;
}

}  // namespace unlearn::testing
