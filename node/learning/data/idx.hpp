#pragma once

#include <cstdint>
#include <filesystem>

#include "node/learning/data/result.hpp"
#include "node/learning/data/table.hpp"

namespace unlearn::learning {

// The IDX format of the MNIST family (yann.lecun.com/exdb/mnist): big-endian sizes, then unsigned bytes.
// Images have three dimensions (count, height, width) or four (count, channels, height, width). Files may be
// gzipped. No file can make the reader allocate more than about twice the bytes that really arrive.
constexpr std::uint64_t kMaxIdxBytes = std::uint64_t{1} << 30;

// Reads images, scaled to [0, 1], and their labels. With `class_count` 0 there are as many classes as the
// largest label asks for; otherwise a label at or above it is an error. Classes are named "0", "1", ...
[[nodiscard]] Result<LabelledData> load_idx(const std::filesystem::path& images,
                                            const std::filesystem::path& labels,
                                            std::int64_t class_count = 0);

// Reads images without labels, scaled to [0, 1]: `labels` and `class_names` stay empty.
[[nodiscard]] Result<LabelledData> load_idx_images(const std::filesystem::path& images);

// Reads a folder that holds {train,t10k}-images*, {train,t10k}-labels* (gzipped or not). The training labels
// decide how many classes there are.
[[nodiscard]] Result<TrainAndTest> load_idx_folder(const std::filesystem::path& folder);

}  // namespace unlearn::learning
