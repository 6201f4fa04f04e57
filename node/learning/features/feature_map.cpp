#include "node/learning/features/feature_map.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "node/learning/data/random.hpp"
#include "node/learning/data/safetensors.hpp"
#include "node/learning/features/map_tensors.hpp"

namespace unlearn::learning {
namespace {

/// A map needs at least as many patches for each filter as this.
constexpr std::size_t kFewestPatches = 10;
constexpr std::size_t kPatches = 40'000;
/// Means and deviations are taken over at most this many rows of the reference set, the first ones.
constexpr std::size_t kStandardisedRows = 4'000;
/// What a map is drawn from. It is the same in every network, because the reference set differs already.
constexpr std::uint64_t kSeed = 0;

RandomStream stream_for(const FeatureRecipe& recipe) {
    return RandomStream(stream_seed(kSeed, "", "feature map " + recipe.text()));
}

Result<PatchFeatures> learn_patches(const FeatureRecipe& recipe, const LabelledData& reference) {
    auto stream = stream_for(recipe);
    const auto images = pixels_of(reference.features);
    auto patches = sample_patches(images, reference.shape, recipe.side, kPatches, stream);
    const auto count = static_cast<std::size_t>(recipe.count);
    if (patches.count < kFewestPatches * count) {
        return fail("feature map " + recipe.text() +
                    ": the images of the reference set are flat; nothing can be learned from them");
    }
    const auto whitening = whitening_of(patches);
    const std::size_t pixels = patches.pixels;
    transform(patches, whitening);
    return PatchFeatures(recipe, reference.shape,
                         make_filters(spherical_centres(patches, count, stream), whitening, pixels));
}

FourierFeatures draw_fourier(const FeatureRecipe& recipe, const LabelledData& reference) {
    auto stream = stream_for(recipe);
    return FourierFeatures::draw(reference.features, static_cast<std::size_t>(reference.shape.size()),
                                 static_cast<std::size_t>(recipe.count), stream);
}

}  // namespace

FeatureMap::FeatureMap(const FeatureRecipe& recipe, const InputShape& shape, Extractor extractor)
    : recipe_(recipe), shape_(shape), extractor_(std::move(extractor)) {}

std::size_t FeatureMap::raw_size() const {
    return std::visit([](const auto& features) { return features.size(); }, extractor_);
}

void FeatureMap::extract(const float* row, std::span<float> raw) const {
    if (const auto* patches = std::get_if<PatchFeatures>(&extractor_)) {
        patches->apply(pixels_of({row, static_cast<std::size_t>(shape_.size())}).data(), raw);
    } else {
        std::get<FourierFeatures>(extractor_).apply(row, raw);
    }
}

void FeatureMap::standardise_by(std::span<const float> rows) {
    const auto size = static_cast<std::size_t>(shape_.size());
    const std::size_t count = std::min(rows.size() / size, kStandardisedRows);
    std::vector<float> raw(raw_size());
    std::vector<double> sums(raw.size(), 0.0);
    std::vector<double> squares(raw.size(), 0.0);
    for (std::size_t row = 0; row < count; ++row) {
        extract(rows.data() + row * size, raw);
        for (std::size_t i = 0; i < raw.size(); ++i) {
            sums[i] += raw[i];
            squares[i] += static_cast<double>(raw[i]) * raw[i];
        }
    }
    // A variance this small, compared with the square of the mean, is rounding.
    constexpr double kConstant = 1e-9;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const double mean = sums[i] / static_cast<double>(count);
        const double square = squares[i] / static_cast<double>(count);
        const double variance = square - mean * mean;
        const bool is_constant = variance <= kConstant * square;
        mean_.push_back(static_cast<float>(mean));
        factor_.push_back(is_constant ? 0.0F : static_cast<float>(kFeatureSteps / std::sqrt(variance)));
    }
}

Result<FeatureMap> FeatureMap::learn(const FeatureRecipe& recipe, const LabelledData& reference) {
    if (auto possible = feature_count(recipe, reference.shape); !possible)
        return tl::unexpected(possible.error());
    if (reference.count < static_cast<std::size_t>(recipe.kind == FeatureKind::patches ? recipe.count : 2)) {
        return fail("feature map " + recipe.text() + ": the reference set has only " +
                    std::to_string(reference.count) + " rows");
    }
    if (recipe.kind == FeatureKind::fourier) {
        FeatureMap map(recipe, reference.shape, draw_fourier(recipe, reference));
        map.standardise_by(reference.features);
        return map;
    }
    auto patches = learn_patches(recipe, reference);
    if (!patches) return tl::unexpected(patches.error());
    FeatureMap map(recipe, reference.shape, std::move(*patches));
    map.standardise_by(reference.features);
    return map;
}

std::vector<std::uint8_t> FeatureMap::to_bytes() const {
    auto tensors = std::visit([](const auto& features) { return tensors_of(features); }, extractor_);
    tensors.push_back(vector_tensor("mean", mean_));
    tensors.push_back(vector_tensor("factor", factor_));
    return write_safetensors(tensors);
}

Result<FeatureMap> FeatureMap::from_bytes(const FeatureRecipe& recipe, const InputShape& shape,
                                          std::span<const std::uint8_t> bytes) {
    const auto size = feature_count(recipe, shape);
    if (!size) return tl::unexpected(size.error());
    auto tensors = read_safetensors(bytes);
    if (!tensors) return fail("feature map: " + tensors.error().message);
    TensorReader reader(std::move(*tensors));
    FeatureMap map(recipe, shape, read_extractor(recipe, shape, reader));
    map.mean_ = reader.take("mean", {*size}, -kLargestMapNumber, kLargestMapNumber);
    map.factor_ = reader.take("factor", {*size}, 0.0F, kLargestMapNumber);
    if (auto good = reader.end(); !good) return tl::unexpected(good.error());
    return map;
}

void FeatureMap::apply(std::span<const float> rows, std::span<std::int16_t> features) const {
    const auto size = static_cast<std::size_t>(shape_.size());
    std::vector<float> raw(raw_size());
    constexpr auto kMost = static_cast<float>(kMostFeatureSteps);
    std::int16_t* target = features.data();
    for (std::size_t row = 0; row < rows.size() / size; ++row) {
        extract(rows.data() + row * size, raw);
        for (std::size_t i = 0; i < raw.size(); ++i) {
            const float steps = (raw[i] - mean_[i]) * factor_[i];
            *target++ = static_cast<std::int16_t>(std::floor(std::clamp(steps, -kMost, kMost) + 0.5F));
        }
    }
}

}  // namespace unlearn::learning
