#include "node/learning/data/architecture.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace unlearn::learning {
namespace {

constexpr std::size_t kMaxText = 64;
constexpr std::size_t kMaxLayers = 8;
constexpr std::int64_t kMaxWidth = 4096;
constexpr std::int64_t kMaxBlocks = 32;
constexpr std::int64_t kKernel = 3;

constexpr std::array kKindsWithoutSizes{ArchitectureKind::linear, ArchitectureKind::ridge,
                                        ArchitectureKind::head};

// Parses a decimal number from 1 to `most` without sign or leading zero, so that each number has one text.
std::optional<std::int64_t> parse_size(std::string_view text, std::int64_t most) {
    std::int64_t value = 0;
    if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
    return value;
}

std::optional<std::vector<std::int64_t>> parse_widths(std::string_view text) {
    std::vector<std::int64_t> widths;
    for (;;) {
        const std::size_t cut = text.find('x');
        const auto width = parse_size(text.substr(0, cut), kMaxWidth);
        if (!width || widths.size() == kMaxLayers) return std::nullopt;
        widths.push_back(*width);
        if (cut == std::string_view::npos) return widths;
        text.remove_prefix(cut + 1);
    }
}

/// How a kind is written, in the order of ArchitectureKind.
struct Spelling {
    std::string_view name;
    std::vector<std::string_view> examples;
    enum class Extra { none, optional, required } extra;
    std::int64_t most_extra;
};

const Spelling& spelling_of(ArchitectureKind kind) {
    using enum Spelling::Extra;
    static const std::array<Spelling, 6> kSpellings{{
        {"linear", {"linear"}, none, 0},
        {"mlp", {"mlp:32", "mlp:64x32"}, none, 0},
        {"cnn", {"cnn:16x32", "cnn:16x32+64"}, optional, kMaxWidth},
        {"resnet", {"resnet:8x12+1"}, required, kMaxBlocks},
        // Not among the examples, because most networks have no feature map.
        {"ridge", {}, none, 0},
        {"head", {}, none, 0},
    }};
    return kSpellings.at(static_cast<std::size_t>(kind));
}

std::string examples_of(std::span<const ArchitectureKind> kinds) {
    std::vector<std::string_view> all;
    for (const ArchitectureKind kind : kinds) {
        const auto& examples = spelling_of(kind).examples;
        all.insert(all.end(), examples.begin(), examples.end());
    }
    std::string list;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i > 0) list += i + 1 == all.size() ? " or " : ", ";
        list += all[i];
    }
    return list;
}

std::optional<Architecture> parse_known(std::string_view text) {
    for (const ArchitectureKind kind : kKindsWithoutSizes)
        if (text == spelling_of(kind).name) return Architecture{kind, {}, 0};
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    Architecture architecture;
    const auto kind = std::ranges::find(kMainArchitectures, text.substr(0, colon),
                                        [](ArchitectureKind one) { return spelling_of(one).name; });
    if (kind == kMainArchitectures.end() ||
        std::ranges::find(kKindsWithoutSizes, *kind) != kKindsWithoutSizes.end())
        return std::nullopt;
    architecture.kind = *kind;
    const Spelling& spelling = spelling_of(*kind);
    std::string_view sizes = text.substr(colon + 1);
    const std::size_t plus = sizes.find('+');
    if (plus == std::string_view::npos) {
        if (spelling.extra == Spelling::Extra::required) return std::nullopt;
    } else {
        if (spelling.extra == Spelling::Extra::none) return std::nullopt;
        const auto extra = parse_size(sizes.substr(plus + 1), spelling.most_extra);
        if (!extra) return std::nullopt;
        architecture.extra = *extra;
        sizes = sizes.substr(0, plus);
    }
    auto widths = parse_widths(sizes);
    if (!widths) return std::nullopt;
    architecture.widths = std::move(*widths);
    return architecture;
}

class TensorList {
  public:
    void add(std::string name, std::vector<std::int64_t> shape) {
        shapes_.push_back({std::move(name), std::move(shape)});
    }
    void dense(const std::string& name, std::int64_t in, std::int64_t out) {
        add(name + ".weight", {out, in});
        add(name + ".bias", {out});
    }
    void convolution(const std::string& name, std::int64_t in, std::int64_t out) {
        add(name + ".weight", {out, in, kKernel, kKernel});
    }
    void norm(const std::string& name, std::int64_t channels) {
        add(name + ".scale", {channels});
        add(name + ".shift", {channels});
    }
    std::vector<TensorShape> take() { return std::move(shapes_); }

  private:
    std::vector<TensorShape> shapes_;
};

void list_mlp(const Architecture& architecture, std::int64_t inputs, std::int64_t classes, TensorList& list) {
    for (std::size_t i = 0; i < architecture.widths.size(); ++i) {
        list.dense("hidden" + std::to_string(i + 1), inputs, architecture.widths[i]);
        inputs = architecture.widths[i];
    }
    list.dense("out", inputs, classes);
}

Result<void> list_cnn(const Architecture& architecture, const InputShape& input, std::int64_t classes,
                      TensorList& list) {
    InputShape shape = input;
    for (std::size_t i = 0; i < architecture.widths.size(); ++i) {
        const std::string name = "conv" + std::to_string(i + 1);
        list.convolution(name, shape.channels, architecture.widths[i]);
        list.add(name + ".bias", {architecture.widths[i]});
        shape = {architecture.widths[i], shape.height / 2, shape.width / 2};
        if (shape.height == 0 || shape.width == 0) {
            return fail("architecture " + architecture.text() + " pools an input of " +
                        std::to_string(input.height) + "x" + std::to_string(input.width) + " to nothing");
        }
    }
    std::int64_t features = shape.size();
    if (architecture.extra > 0) {
        list.dense("hidden", features, architecture.extra);
        features = architecture.extra;
    }
    list.dense("out", features, classes);
    return {};
}

void list_resnet(const Architecture& architecture, const InputShape& input, std::int64_t classes,
                 TensorList& list) {
    std::int64_t channels = architecture.widths.front();
    list.convolution("stem", input.channels, channels);
    list.norm("stem.norm", channels);
    for (std::size_t stage = 0; stage < architecture.widths.size(); ++stage) {
        const std::int64_t width = architecture.widths[stage];
        for (std::int64_t block = 0; block < architecture.extra; ++block) {
            const std::string name =
                "stage" + std::to_string(stage + 1) + ".block" + std::to_string(block + 1);
            list.convolution(name + ".conv1", channels, width);
            list.norm(name + ".norm1", width);
            list.convolution(name + ".conv2", width, width);
            list.norm(name + ".norm2", width);
            if (block == 0 && stage > 0) list.add(name + ".shortcut.weight", {width, channels, 1, 1});
            channels = width;
        }
    }
    list.dense("out", channels, classes);
}

bool is_plausible(const InputShape& input) {
    constexpr std::int64_t kMost = std::int64_t{1} << 24;
    return input.channels > 0 && input.height > 0 && input.width > 0 && input.channels <= kMost &&
           input.height <= kMost / input.channels && input.width <= kMost / (input.channels * input.height);
}

Result<std::int64_t> total_elements(const Architecture& architecture, const std::vector<TensorShape>& shapes,
                                    std::int64_t most) {
    std::int64_t total = 0;
    for (const TensorShape& tensor : shapes) {
        total += tensor.elements();
        if (total > most) {
            return fail("architecture " + architecture.text() + " has more than " + std::to_string(most) +
                        " weights");
        }
    }
    return total;
}

}  // namespace

std::string Architecture::text() const {
    std::string text(spelling_of(kind).name);
    for (std::size_t i = 0; i < widths.size(); ++i)
        text += (i == 0 ? ":" : "x") + std::to_string(widths[i]);
    if (extra > 0) text += "+" + std::to_string(extra);
    return text;
}

std::int64_t TensorShape::elements() const {
    std::int64_t product = 1;
    for (const std::int64_t size : shape)
        product *= size;
    return product;
}

Result<Architecture> parse_architecture(std::string_view text, std::span<const ArchitectureKind> allowed) {
    auto parsed = text.size() <= kMaxText ? parse_known(text) : std::nullopt;
    if (parsed && std::ranges::find(allowed, parsed->kind) != allowed.end()) return std::move(*parsed);
    std::string shown;
    for (const char c : text.substr(0, kMaxText))
        shown.push_back(c >= ' ' && c <= '~' ? c : '?');
    return fail("unknown architecture \"" + shown + "\": expected " + examples_of(allowed));
}

Result<std::vector<TensorShape>> expected_tensors(const Architecture& architecture, const InputShape& input,
                                                  std::int64_t classes, const ArchitectureLimits& limits) {
    if (!is_plausible(input))
        return fail("architecture " + architecture.text() + ": the input shape is unusable");
    if (classes < 2 || classes > limits.classes) {
        return fail("architecture " + architecture.text() + ": " + std::to_string(classes) +
                    " classes are not between 2 and " + std::to_string(limits.classes));
    }
    TensorList list;
    switch (architecture.kind) {
        case ArchitectureKind::linear:
        case ArchitectureKind::mlp:
            list_mlp(architecture, input.size(), classes, list);
            break;
        case ArchitectureKind::cnn:
            if (auto listed = list_cnn(architecture, input, classes, list); !listed) {
                return tl::unexpected(listed.error());
            }
            break;
        case ArchitectureKind::resnet:
            list_resnet(architecture, input, classes, list);
            break;
        case ArchitectureKind::ridge:
        case ArchitectureKind::head:
            if (input.features == 0)
                return fail("architecture " + architecture.text() +
                            " needs public features, and there is no feature map");
            list.dense("out", input.features, classes);
            break;
    }
    auto shapes = list.take();
    if (shapes.size() > limits.tensors) {
        return fail("architecture " + architecture.text() + " has " + std::to_string(shapes.size()) +
                    " tensors, more than " + std::to_string(limits.tensors));
    }
    if (auto total = total_elements(architecture, shapes, limits.parameters); !total) {
        return tl::unexpected(total.error());
    }
    return shapes;
}

Result<std::int64_t> parameter_count(const Architecture& architecture, const InputShape& input,
                                     std::int64_t classes) {
    const auto shapes = expected_tensors(architecture, input, classes);
    if (!shapes) return tl::unexpected(shapes.error());
    return total_elements(architecture, *shapes, kMainLimits.parameters);
}

Result<void> check_tensors(const Architecture& architecture, const InputShape& input, std::int64_t classes,
                           std::span<const NamedTensor> tensors, const ArchitectureLimits& limits) {
    const auto expected = expected_tensors(architecture, input, classes, limits);
    if (!expected) return tl::unexpected(expected.error());
    const std::string prefix = "model " + architecture.text() + ": ";
    if (tensors.size() != expected->size()) {
        return fail(prefix + "has " + std::to_string(tensors.size()) + " tensors, expected " +
                    std::to_string(expected->size()));
    }
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const TensorShape& wanted = (*expected)[i];
        const std::string place = prefix + "tensor " + std::to_string(i + 1) + " ";
        if (tensors[i].name != wanted.name) return fail(place + "is not named \"" + wanted.name + "\"");
        if (tensors[i].shape != wanted.shape ||
            tensors[i].values.size() != static_cast<std::size_t>(wanted.elements())) {
            return fail(place + "(\"" + wanted.name + "\") has the wrong shape");
        }
        for (const float value : tensors[i].values) {
            if (!(std::fabs(value) <= kMaxWeight)) {
                return fail(place + "(\"" + wanted.name +
                            "\") holds a number that is not finite or beyond 10000");
            }
        }
    }
    return {};
}

Result<CheckedSeed> check_seed_payload(std::string_view architecture, const InputShape& input,
                                       std::int64_t classes, std::span<const std::uint8_t> payload) {
    auto parsed = parse_architecture(architecture, kSeedArchitectures);
    if (!parsed) return tl::unexpected(parsed.error());
    if (auto possible = expected_tensors(*parsed, input, classes, kSeedLimits); !possible) {
        return tl::unexpected(possible.error());
    }
    SafetensorsLimits limits;
    limits.total_bytes =
        static_cast<std::size_t>(kSeedLimits.parameters) * sizeof(float) + limits.header_bytes;
    auto tensors = read_safetensors(payload, limits);
    if (!tensors) return tl::unexpected(tensors.error());
    if (auto fine = check_tensors(*parsed, input, classes, *tensors, kSeedLimits); !fine) {
        return tl::unexpected(fine.error());
    }
    return CheckedSeed{std::move(*parsed), std::move(*tensors)};
}

}  // namespace unlearn::learning
