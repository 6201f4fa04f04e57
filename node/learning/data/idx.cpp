#include "node/learning/data/idx.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "node/learning/data/gzip_file.hpp"
#include "node/learning/data/idx_folder.hpp"

namespace unlearn::learning {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;
constexpr std::size_t kStep = std::size_t{1} << 20;

struct IdxBytes {
    std::vector<std::uint64_t> sizes;
    std::vector<std::uint8_t> bytes;
};

/// The source of an IDX file's bytes. `read` fills as much of the target as there is.
struct Source {
    std::string name;
    std::function<Result<std::size_t>(std::span<std::uint8_t>)> read;
};

Result<std::uint32_t> read_word(const Source& source) {
    std::array<std::uint8_t, 4> word{};
    const auto got = source.read(word);
    if (!got) return tl::unexpected(got.error());
    if (*got != word.size()) return fail(source.name + ": ends inside the IDX header");
    return std::uint32_t{word[0]} << 24 | std::uint32_t{word[1]} << 16 | std::uint32_t{word[2]} << 8 |
           word[3];
}

Result<std::vector<std::uint64_t>> read_sizes(const Source& source, std::size_t fewest, std::size_t most) {
    const auto magic = read_word(source);
    if (!magic) return tl::unexpected(magic.error());
    const std::size_t dimensions = *magic & 0xff;
    if (*magic >> 16 != 0) return fail(source.name + ": is not an IDX file (wrong magic number)");
    if ((*magic >> 8 & 0xff) != kUnsignedByte)
        return fail(source.name + ": IDX elements are not unsigned bytes");
    if (dimensions < fewest || dimensions > most) {
        return fail(source.name + ": has " + std::to_string(dimensions) + " IDX dimensions, expected " +
                    std::to_string(fewest) + (fewest == most ? "" : " or " + std::to_string(most)));
    }
    std::vector<std::uint64_t> sizes;
    std::uint64_t total = 1;
    for (std::size_t i = 0; i < dimensions; ++i) {
        const auto size = read_word(source);
        if (!size) return tl::unexpected(size.error());
        if (*size == 0) return fail(source.name + ": IDX dimension " + std::to_string(i + 1) + " is 0");
        if (*size > kMaxIdxBytes / total) return fail(source.name + ": announces more than 1 GiB of data");
        total *= *size;
        sizes.push_back(*size);
    }
    return sizes;
}

Result<IdxBytes> read_idx(const Source& source, std::size_t fewest, std::size_t most) {
    auto sizes = read_sizes(source, fewest, most);
    if (!sizes) return tl::unexpected(sizes.error());
    std::uint64_t total = 1;
    for (const std::uint64_t size : *sizes)
        total *= size;

    IdxBytes result{std::move(*sizes), {}};
    while (result.bytes.size() < total) {
        const std::size_t have = result.bytes.size();
        const std::size_t wanted = std::min<std::size_t>(kStep, total - have);
        result.bytes.resize(have + wanted);
        const auto got = source.read(std::span(result.bytes).subspan(have));
        if (!got) return tl::unexpected(got.error());
        if (*got != wanted) {
            return fail(source.name + ": ends after " + std::to_string(have + *got) + " of " +
                        std::to_string(total) + " announced bytes");
        }
    }
    std::array<std::uint8_t, 1> extra{};
    const auto beyond = source.read(extra);
    if (!beyond) return tl::unexpected(beyond.error());
    if (*beyond != 0)
        return fail(source.name + ": holds more than the " + std::to_string(total) + " announced bytes");
    return result;
}

Result<IdxBytes> read_idx(const std::filesystem::path& path, std::size_t fewest, std::size_t most) {
    auto file = GzipFile::open(path);
    if (!file) return tl::unexpected(file.error());
    return read_idx(Source{file->name(), [&](std::span<std::uint8_t> target) { return file->read(target); }},
                    fewest, most);
}

/// Whether images with these four dimensions have their channels last. If both ends could be channels, they
/// are first.
bool has_channels_last(const std::vector<std::uint64_t>& sizes) {
    const auto usual = [](std::uint64_t size) { return size == 1 || size == 3; };
    constexpr std::uint64_t kMostChannels = 4;
    return !usual(sizes[1]) && (usual(sizes[3]) || (sizes[3] <= kMostChannels && sizes[1] > kMostChannels));
}

/// Turns [count, height, width, channels] into [count, channels, height, width].
std::vector<std::uint8_t> channels_first(const std::vector<std::uint8_t>& pixels, std::size_t count,
                                         const InputShape& shape) {
    const auto channels = static_cast<std::size_t>(shape.channels);
    const auto places = static_cast<std::size_t>(shape.height * shape.width);
    std::vector<std::uint8_t> out(pixels.size());
    for (std::size_t image = 0; image < count; ++image)
        for (std::size_t place = 0; place < places; ++place)
            for (std::size_t channel = 0; channel < channels; ++channel)
                out[(image * channels + channel) * places + place] =
                    pixels[(image * places + place) * channels + channel];
    return out;
}

Result<ImageBytes> images_of(Result<IdxBytes> read) {
    if (!read) return tl::unexpected(read.error());
    const auto& sizes = read->sizes;
    const auto size = [&](std::size_t i) { return static_cast<std::int64_t>(sizes[i]); };
    ImageBytes images;
    images.count = sizes[0];
    if (sizes.size() == 3) {
        images.shape = {1, size(1), size(2)};
    } else if (has_channels_last(sizes)) {
        images.shape = {size(3), size(1), size(2)};
        images.pixels = channels_first(read->bytes, images.count, images.shape);
        return images;
    } else {
        images.shape = {size(1), size(2), size(3)};
    }
    images.pixels = std::move(read->bytes);
    return images;
}

bool is_whole_number(const std::string& name) {
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Returns the class of each byte that a label file may contain.
std::map<std::uint8_t, std::int64_t> class_of_label(const std::vector<std::string>& class_names) {
    const bool by_name = std::all_of(class_names.begin(), class_names.end(), is_whole_number);
    std::map<std::string, std::int64_t> places;
    for (std::size_t i = 0; i < class_names.size(); ++i)
        places.emplace(by_name ? class_names[i] : std::to_string(i), static_cast<std::int64_t>(i));
    std::map<std::uint8_t, std::int64_t> out;
    for (unsigned label = 0; label <= UINT8_MAX; ++label)
        if (const auto found = places.find(std::to_string(label)); found != places.end())
            out.emplace(static_cast<std::uint8_t>(label), found->second);
    return out;
}

std::vector<std::string> classes_that_occur(const std::vector<std::uint8_t>& labels) {
    std::vector<std::string> names;
    for (const std::uint8_t label : std::set(labels.begin(), labels.end()))
        names.push_back(std::to_string(label));
    return names;
}

std::string list_of(const std::vector<std::string>& names) {
    constexpr std::size_t kMost = 12;
    std::string out;
    for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i)
        out += (i > 0 ? ", " : "") + names[i];
    return out + (names.size() > kMost ? ", ..." : "");
}

Result<LabelledData> load_part(const std::filesystem::path& folder,
                               const std::vector<std::string_view>& prefixes,
                               const std::vector<std::string>& class_names) {
    const auto images = find_idx(folder, prefixes, "-images");
    if (!images) return tl::unexpected(images.error());
    const auto labels = find_idx(folder, prefixes, "-labels");
    if (!labels) return tl::unexpected(labels.error());
    return load_idx(*images, *labels, class_names);
}

}  // namespace

Result<ImageBytes> read_idx_images(const std::filesystem::path& images) {
    return images_of(read_idx(images, 3, 4));
}

Result<ImageBytes> parse_idx_images(std::string_view name, std::span<const std::uint8_t> bytes) {
    std::size_t position = 0;
    const Source source{std::string(name), [&](std::span<std::uint8_t> target) -> Result<std::size_t> {
                            const auto part =
                                bytes.subspan(position, std::min(target.size(), bytes.size() - position));
                            std::copy(part.begin(), part.end(), target.begin());
                            position += part.size();
                            return part.size();
                        }};
    return images_of(read_idx(source, 3, 4));
}

Result<LabelledData> load_idx_images(const std::filesystem::path& images) {
    const auto read = read_idx_images(images);
    if (!read) return tl::unexpected(read.error());
    LabelledData data;
    data.count = read->count;
    data.shape = read->shape;
    data.features.reserve(read->pixels.size());
    for (const std::uint8_t pixel : read->pixels)
        data.features.push_back(static_cast<float>(pixel) / 255.0F);
    return data;
}

Result<LabelledData> load_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                              const std::vector<std::string>& class_names) {
    const auto label_bytes = read_idx(labels, 1, 1);
    if (!label_bytes) return tl::unexpected(label_bytes.error());
    auto loaded = load_idx_images(images);
    if (!loaded) return loaded;
    LabelledData& data = *loaded;
    if (data.count != label_bytes->sizes[0]) {
        return fail(images.string() + ": holds " + std::to_string(data.count) + " images, but " +
                    labels.string() + " holds " + std::to_string(label_bytes->sizes[0]) + " labels");
    }
    data.class_names = class_names.empty() ? classes_that_occur(label_bytes->bytes) : class_names;
    const auto classes = class_of_label(data.class_names);
    for (const std::uint8_t label : label_bytes->bytes) {
        const auto known = classes.find(label);
        if (known == classes.end())
            return fail(labels.string() + ": label " + std::to_string(label) + " of item " +
                        std::to_string(data.labels.size()) + " is none of the " +
                        std::to_string(data.class_names.size()) + " classes " + list_of(data.class_names));
        data.labels.push_back(known->second);
    }
    return loaded;
}

Result<TrainAndTest> load_idx_folder(const std::filesystem::path& folder) {
    auto train = load_part(folder, {"train"}, {});
    if (!train) return tl::unexpected(train.error());
    auto test = load_part(folder, {"t10k", "test"}, train->class_names);
    if (!test) return tl::unexpected(test.error());
    if (test->shape != train->shape)
        return fail(folder.string() + ": training and test images differ in size");
    return TrainAndTest{std::move(*train), std::move(*test)};
}

}  // namespace unlearn::learning
