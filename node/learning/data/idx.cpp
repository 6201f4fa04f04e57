#include "node/learning/data/idx.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "node/learning/data/gzip_file.hpp"

namespace unlearn::learning {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;
constexpr std::size_t kStep = std::size_t{1} << 20;

struct IdxBytes {
    std::vector<std::uint64_t> sizes;
    std::vector<std::uint8_t> bytes;
};

Result<std::uint32_t> read_word(GzipFile& file) {
    std::array<std::uint8_t, 4> word{};
    const auto got = file.read(word);
    if (!got) return tl::unexpected(got.error());
    if (*got != word.size()) return fail(file.name() + ": ends inside the IDX header");
    return std::uint32_t{word[0]} << 24 | std::uint32_t{word[1]} << 16 | std::uint32_t{word[2]} << 8 |
           word[3];
}

Result<std::vector<std::uint64_t>> read_sizes(GzipFile& file, std::size_t fewest, std::size_t most) {
    const auto magic = read_word(file);
    if (!magic) return tl::unexpected(magic.error());
    const std::size_t dimensions = *magic & 0xff;
    if (*magic >> 16 != 0) return fail(file.name() + ": is not an IDX file (wrong magic number)");
    if ((*magic >> 8 & 0xff) != kUnsignedByte)
        return fail(file.name() + ": IDX elements are not unsigned bytes");
    if (dimensions < fewest || dimensions > most) {
        return fail(file.name() + ": has " + std::to_string(dimensions) + " IDX dimensions, expected " +
                    std::to_string(fewest) + (fewest == most ? "" : " or " + std::to_string(most)));
    }
    std::vector<std::uint64_t> sizes;
    std::uint64_t total = 1;
    for (std::size_t i = 0; i < dimensions; ++i) {
        const auto size = read_word(file);
        if (!size) return tl::unexpected(size.error());
        if (*size == 0) return fail(file.name() + ": IDX dimension " + std::to_string(i + 1) + " is 0");
        if (*size > kMaxIdxBytes / total) return fail(file.name() + ": announces more than 1 GiB of data");
        total *= *size;
        sizes.push_back(*size);
    }
    return sizes;
}

Result<IdxBytes> read_idx(const std::filesystem::path& path, std::size_t fewest, std::size_t most) {
    auto file = GzipFile::open(path);
    if (!file) return tl::unexpected(file.error());
    auto sizes = read_sizes(*file, fewest, most);
    if (!sizes) return tl::unexpected(sizes.error());
    std::uint64_t total = 1;
    for (const std::uint64_t size : *sizes)
        total *= size;

    IdxBytes result{std::move(*sizes), {}};
    while (result.bytes.size() < total) {
        const std::size_t have = result.bytes.size();
        const std::size_t wanted = std::min<std::size_t>(kStep, total - have);
        result.bytes.resize(have + wanted);
        const auto got = file->read(std::span(result.bytes).subspan(have));
        if (!got) return tl::unexpected(got.error());
        if (*got != wanted) {
            return fail(file->name() + ": ends after " + std::to_string(have + *got) + " of " +
                        std::to_string(total) + " announced bytes");
        }
    }
    std::array<std::uint8_t, 1> extra{};
    const auto beyond = file->read(extra);
    if (!beyond) return tl::unexpected(beyond.error());
    if (*beyond != 0)
        return fail(file->name() + ": holds more than the " + std::to_string(total) + " announced bytes");
    return result;
}

Result<std::filesystem::path> find_idx(const std::filesystem::path& folder, std::string_view prefix) {
    std::error_code error;
    std::vector<std::filesystem::path> found;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().filename().string().starts_with(prefix)) found.push_back(entry->path());
    }
    if (error) return fail(folder.string() + ": cannot be read: " + error.message());
    if (found.empty()) return fail(folder.string() + ": holds no file named " + std::string(prefix) + "*");
    // A file and its gzipped twin may lie side by side: the shorter name, the plain one, sorts first.
    return *std::min_element(found.begin(), found.end());
}

Result<LabelledData> load_part(const std::filesystem::path& folder, const std::string& prefix,
                               std::int64_t class_count) {
    const auto images = find_idx(folder, prefix + "-images");
    if (!images) return tl::unexpected(images.error());
    const auto labels = find_idx(folder, prefix + "-labels");
    if (!labels) return tl::unexpected(labels.error());
    return load_idx(*images, *labels, class_count);
}

}  // namespace

Result<LabelledData> load_idx_images(const std::filesystem::path& images) {
    const auto image_bytes = read_idx(images, 3, 4);
    if (!image_bytes) return tl::unexpected(image_bytes.error());
    const auto& sizes = image_bytes->sizes;
    LabelledData data;
    data.count = sizes[0];
    data.shape.channels = sizes.size() == 4 ? static_cast<std::int64_t>(sizes[1]) : 1;
    data.shape.height = static_cast<std::int64_t>(sizes[sizes.size() - 2]);
    data.shape.width = static_cast<std::int64_t>(sizes.back());
    data.features.reserve(image_bytes->bytes.size());
    for (const std::uint8_t byte : image_bytes->bytes)
        data.features.push_back(static_cast<float>(byte) / 255.0F);
    return data;
}

Result<LabelledData> load_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                              std::int64_t class_count) {
    const auto label_bytes = read_idx(labels, 1, 1);
    if (!label_bytes) return tl::unexpected(label_bytes.error());
    auto loaded = load_idx_images(images);
    if (!loaded) return loaded;
    LabelledData& data = *loaded;
    if (data.count != label_bytes->sizes[0]) {
        return fail(images.string() + ": holds " + std::to_string(data.count) + " images, but " +
                    labels.string() + " holds " + std::to_string(label_bytes->sizes[0]) + " labels");
    }
    data.labels.assign(label_bytes->bytes.begin(), label_bytes->bytes.end());
    const auto largest = std::max_element(data.labels.begin(), data.labels.end());
    if (class_count == 0) class_count = *largest + 1;
    if (*largest >= class_count) {
        return fail(labels.string() + ": label " + std::to_string(*largest) + " of item " +
                    std::to_string(largest - data.labels.begin()) + " is not below the class count " +
                    std::to_string(class_count));
    }
    for (std::int64_t i = 0; i < class_count; ++i)
        data.class_names.push_back(std::to_string(i));
    return loaded;
}

Result<TrainAndTest> load_idx_folder(const std::filesystem::path& folder) {
    auto train = load_part(folder, "train", 0);
    if (!train) return tl::unexpected(train.error());
    auto test = load_part(folder, "t10k", static_cast<std::int64_t>(train->class_names.size()));
    if (!test) return tl::unexpected(test.error());
    if (test->shape != train->shape)
        return fail(folder.string() + ": training and test images differ in size");
    return TrainAndTest{std::move(*train), std::move(*test)};
}

}  // namespace unlearn::learning
