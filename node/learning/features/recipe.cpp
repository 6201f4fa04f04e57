#include "node/learning/features/recipe.hpp"

#include <array>
#include <charconv>
#include <optional>

namespace unlearn::learning {
namespace {

constexpr std::int64_t kMostFilters = 1'024;
constexpr std::int64_t kMostSide = 16;
constexpr std::int64_t kMostGrid = 16;
constexpr std::int64_t kSmallestImage = 8;
/// Products of so many pixels (at most 255) and filter values (at most 127) stay below 2^24, so their sum is
/// exact in float32 whatever the order.
constexpr std::int64_t kMostPatchPixels = 512;
/// Sums of so many quantised responses fit 32 bits.
constexpr std::int64_t kMostPositions = std::int64_t{1} << 18;

// Takes a decimal number from 1 to `most` from the front of `text`. It has no sign and no leading zero, so
// that each number has one text.
std::optional<std::int64_t> take_number(std::string_view& text, std::int64_t most) {
    std::int64_t value = 0;
    if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || value > most) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

bool take(std::string_view& text, std::string_view expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    return true;
}

std::optional<FeatureRecipe> parse_patches(std::string_view text) {
    const auto count = take_number(text, kMostFilters);
    if (!count || !take(text, "x")) return std::nullopt;
    const auto side = take_number(text, kMostSide);
    if (!side || !take(text, "-")) return std::nullopt;
    const auto rows = take_number(text, kMostGrid);
    if (!rows || !take(text, "x")) return std::nullopt;
    const auto columns = take_number(text, kMostGrid);
    if (columns != rows || !text.empty() || *side < 2) return std::nullopt;
    return FeatureRecipe{FeatureKind::patches, *count, *side, *rows};
}

std::optional<FeatureRecipe> parse_known(std::string_view text) {
    if (take(text, "patches:")) return parse_patches(text);
    if (!take(text, "fourier:")) return std::nullopt;
    const auto count = take_number(text, kMostFeatures);
    if (!count || !text.empty()) return std::nullopt;
    return FeatureRecipe{FeatureKind::fourier, *count, 0, 0};
}

Result<std::int64_t> count_patch_features(const FeatureRecipe& recipe, const InputShape& shape) {
    const std::string name = "feature map " + recipe.text() + ": ";
    const std::string size = std::to_string(shape.height) + "x" + std::to_string(shape.width);
    if (shape.height < kSmallestImage || shape.width < kSmallestImage) {
        return fail(name + "is for images of at least 8x8, and these are " + size);
    }
    const std::int64_t rows = shape.height - recipe.side + 1;
    const std::int64_t columns = shape.width - recipe.side + 1;
    if (rows < recipe.grid || columns < recipe.grid) {
        return fail(name + "images of " + size + " have fewer patches along a side than the grid has cells");
    }
    if (shape.channels > kMostPatchPixels / (recipe.side * recipe.side)) {
        return fail(name + "a patch has more than " + std::to_string(kMostPatchPixels) + " values");
    }
    if ((rows / recipe.grid + 1) * (columns / recipe.grid + 1) > kMostPositions) {
        return fail(name + "images of " + size + " are too large for this grid");
    }
    return 2 * recipe.count * recipe.grid * recipe.grid;
}

Result<std::int64_t> count_fourier_features(const FeatureRecipe& recipe, const InputShape& shape) {
    if (shape.channels != 1 || shape.height != 1)
        return fail("feature map " + recipe.text() + " is for tables, and these are images");
    return shape.width + recipe.count;
}

}  // namespace

std::string FeatureRecipe::text() const {
    const std::string number = std::to_string(count);
    if (kind == FeatureKind::fourier) return "fourier:" + number;
    const std::string cells = std::to_string(grid);
    return "patches:" + number + "x" + std::to_string(side) + "-" + cells + "x" + cells;
}

Result<FeatureRecipe> parse_feature_recipe(std::string_view text) {
    constexpr std::size_t kMaxText = 64;
    if (const auto parsed = text.size() <= kMaxText ? parse_known(text) : std::nullopt) return *parsed;
    std::string shown;
    for (const char c : text.substr(0, kMaxText))
        shown.push_back(c >= ' ' && c <= '~' ? c : '?');
    return fail("unknown feature map \"" + shown +
                "\": expected for example patches:64x6-4x4 or fourier:1024");
}

Result<std::int64_t> feature_count(const FeatureRecipe& recipe, const InputShape& shape) {
    auto count = recipe.kind == FeatureKind::patches ? count_patch_features(recipe, shape)
                                                     : count_fourier_features(recipe, shape);
    if (count && *count > kMostFeatures) {
        return fail("feature map " + recipe.text() + " gives " + std::to_string(*count) +
                    " features, more than " + std::to_string(kMostFeatures));
    }
    return count;
}

}  // namespace unlearn::learning
