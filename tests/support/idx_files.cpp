#include "tests/support/idx_files.hpp"

#include <cmath>
#include <cstdint>
#include <fstream>

namespace unlearn::testing {

namespace fs = std::filesystem;

namespace {

void write_bytes(const fs::path& path, const std::vector<std::uint8_t>& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void write_idx(const fs::path& path, const std::vector<std::uint32_t>& sizes,
               const std::vector<std::uint8_t>& values) {
    std::vector<std::uint8_t> bytes{0, 0, 8, static_cast<std::uint8_t>(sizes.size())};
    for (const std::uint32_t size : sizes)
        for (int shift = 24; shift >= 0; shift -= 8)
            bytes.push_back(static_cast<std::uint8_t>(size >> shift));
    bytes.insert(bytes.end(), values.begin(), values.end());
    write_bytes(path, bytes);
}

}  // namespace

void write_idx_part(const fs::path& folder, const std::string& name, const learning::LabelledData& table,
                    const std::vector<std::size_t>& rows) {
    const auto width = static_cast<std::size_t>(table.shape.size());
    std::vector<std::uint8_t> pixels;
    std::vector<std::uint8_t> labels;
    for (const std::size_t row : rows) {
        labels.push_back(static_cast<std::uint8_t>(table.labels[row]));
        for (std::size_t i = 0; i < width; ++i)
            pixels.push_back(
                static_cast<std::uint8_t>(std::lround(table.features[row * width + i] * 255.0F)));
    }
    const auto count = static_cast<std::uint32_t>(rows.size());
    write_idx(folder / (name + "-images"),
              {count, static_cast<std::uint32_t>(table.shape.height),
               static_cast<std::uint32_t>(table.shape.width)},
              pixels);
    write_idx(folder / (name + "-labels"), {count}, labels);
}

}  // namespace unlearn::testing
