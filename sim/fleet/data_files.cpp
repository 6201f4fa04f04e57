#include "sim/fleet/data_files.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <span>

#include <ATen/core/Tensor.h>

#include "sim/support/output_folder.hpp"

namespace unlearn::sim::fleet {
namespace {

constexpr float kWhite = 255.0F;
/// The number of decimal digits that identifies every float32.
constexpr int kDigits = 9;

std::span<const float> numbers_of(const at::Tensor& inputs) {
    return {inputs.data_ptr<float>(), static_cast<std::size_t>(inputs.numel())};
}

/// Returns the beginning of an IDX file of bytes: magic number and sizes, big-endian.
std::string idx_header(const std::vector<std::int64_t>& sizes) {
    constexpr char kUnsignedBytes = 8;
    std::string out{'\0', '\0', kUnsignedBytes, static_cast<char>(sizes.size())};
    for (const auto size : sizes)
        for (const int shift : {24, 16, 8, 0})
            out.push_back(static_cast<char>((size >> shift) & 0xff));
    return out;
}

std::string idx_images(const at::Tensor& inputs) {
    std::vector<std::int64_t> sizes = inputs.sizes().vec();
    if (sizes[1] == 1) sizes.erase(sizes.begin() + 1);  // grey images have no dimension for channels
    std::string out = idx_header(sizes);
    for (const float value : numbers_of(inputs))
        out.push_back(static_cast<char>(
            static_cast<unsigned char>(raw_value(scenario::DataSettings::Kind::idx, value))));
    return out;
}

std::string idx_labels(const at::Tensor& labels) {
    std::string out = idx_header({labels.size(0)});
    const std::span values(labels.data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.numel()));
    for (const auto label : values)
        out.push_back(static_cast<char>(label));
    return out;
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out.push_back('"');
        out.push_back(c);
    }
    return out + "\"";
}

/// Returns the name of the class of a row. If empty, the file has no column for the class.
using ClassOf = std::function<std::string(std::size_t)>;

std::string csv(const at::Tensor& inputs, const ColumnNames& names, const ClassOf& class_of) {
    const auto values = numbers_of(inputs);
    const auto rows = static_cast<std::size_t>(inputs.size(0));
    const std::size_t columns = names.features.size();
    std::string out;
    for (std::size_t column = 0; column < columns; ++column)
        out += (column > 0 ? "," : "") + quoted(names.features[column]);
    out += class_of ? "," + quoted(names.label) + "\n" : "\n";
    std::array<char, 32> number{};
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            const auto written =
                std::to_chars(number.data(), number.data() + number.size(), values[row * columns + column],
                              std::chars_format::general, kDigits);
            if (column > 0) out.push_back(',');
            out.append(number.data(), written.ptr);
        }
        out += class_of ? "," + quoted(class_of(row)) + "\n" : "\n";
    }
    return out;
}

Result<std::filesystem::path> written(const std::filesystem::path& stem, const std::string& ending,
                                      const std::string& content) {
    const std::filesystem::path file = stem.string() + ending;
    if (auto ok = support::write_file(file, content); !ok) return failed_with(ok.error());
    return file;
}

}  // namespace

float raw_value(scenario::DataSettings::Kind kind, float value) {
    return kind == scenario::DataSettings::Kind::idx ? std::round(value * kWhite) : value;
}

Result<ExampleFiles> write_examples(const std::filesystem::path& stem, scenario::DataSettings::Kind kind,
                                    const learning::Dataset& data,
                                    const std::vector<std::string>& class_names, const ColumnNames& columns) {
    if (kind == scenario::DataSettings::Kind::idx) {
        auto images = written(stem, "-images-idx3-ubyte", idx_images(data.inputs().rows()));
        if (!images) return failed_with(images.error());
        auto labels = written(stem, "-labels-idx1-ubyte", idx_labels(data.labels()));
        if (!labels) return failed_with(labels.error());
        return ExampleFiles{std::move(*images), std::move(*labels)};
    }
    const auto* labels = data.labels().data_ptr<std::int64_t>();
    auto file = written(stem, ".csv", csv(data.inputs().rows(), columns, [&](std::size_t row) {
                            return class_names[static_cast<std::size_t>(labels[row])];
                        }));
    if (!file) return failed_with(file.error());
    return ExampleFiles{std::move(*file), {}};
}

Result<std::filesystem::path> write_reference(const std::filesystem::path& stem,
                                              scenario::DataSettings::Kind kind,
                                              const learning::ReferenceSet& reference,
                                              const ColumnNames& columns) {
    if (kind == scenario::DataSettings::Kind::idx)
        return written(stem, "-images-idx3-ubyte", idx_images(reference.inputs().rows()));
    return written(stem, ".csv", csv(reference.inputs().rows(), columns, {}));
}

}  // namespace unlearn::sim::fleet
