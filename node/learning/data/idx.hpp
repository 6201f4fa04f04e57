#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/learning/data/result.hpp"
#include "node/learning/data/table.hpp"

/// The IDX format of the MNIST family (yann.lecun.com/exdb/mnist): big-endian sizes, then unsigned bytes.
/// Images have three dimensions (count, height, width) or four (count, channels, height, width). If the last
/// of four is 1 or 3 and the second is not, the channels are last. Files may be gzipped. No file can make the
/// reader allocate more than about three times the bytes that really arrive.
namespace unlearn::learning {

/// The most data that an IDX file may hold.
constexpr std::uint64_t kMaxIdxBytes = std::uint64_t{1} << 30;

/// The first bytes of an IDX file whose elements are unsigned bytes.
inline constexpr std::string_view kIdxBytesMagic{"\0\0\x08", 3};

/// Images without labels.
struct ImageBytes {
    std::size_t count = 0;
    InputShape shape;
    std::vector<std::uint8_t> pixels;  ///< count x channels x height x width, whatever the order in the file
};

/// Reads images without labels from a file, or from its bytes, which errors call `name`.
[[nodiscard]] Result<ImageBytes> read_idx_images(const std::filesystem::path& images);
[[nodiscard]] Result<ImageBytes> parse_idx_images(std::string_view name, std::span<const std::uint8_t> bytes);

/// Reads images without labels, scaled to [0, 1]. `labels` and `class_names` stay empty.
[[nodiscard]] Result<LabelledData> load_idx_images(const std::filesystem::path& images);

/// Reads images, scaled to [0, 1], and their labels. Without `class_names` the classes are the numbers that
/// occur, in ascending order. If all class names are whole numbers, a label is such a name; otherwise it is
/// the place of its class, from 0. Any other label is an error.
[[nodiscard]] Result<LabelledData> load_idx(const std::filesystem::path& images,
                                            const std::filesystem::path& labels,
                                            const std::vector<std::string>& class_names = {});

/// Reads a folder with the files train-images*, train-labels*, t10k-images* and t10k-labels* (or test-*).
/// Each may be gzipped, may lie in a folder of that name, or may have something before that name. The classes
/// are those of the training labels.
[[nodiscard]] Result<TrainAndTest> load_idx_folder(const std::filesystem::path& folder);

}  // namespace unlearn::learning
