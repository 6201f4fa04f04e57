#include "node/learning/features/patch_features.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "tests/unit/features/examples.hpp"

using namespace unlearn::learning;
using unlearn::testing::images;

namespace {

Filters random_filters(std::size_t count, std::size_t pixels) {
    RandomStream stream(6);
    Filters filters{count, pixels, {}, {}};
    for (std::size_t k = 0; k < count; ++k) {
        int sum = 0;
        for (std::size_t i = 0; i + 1 < pixels; ++i) {
            const int value = static_cast<int>(stream.below(61)) - 30;
            // The sum stays within the range of the last value.
            filters.values.push_back(static_cast<std::int8_t>(std::abs(sum + value) > 100 ? -value : value));
            sum += filters.values.back();
        }
        filters.values.push_back(static_cast<std::int8_t>(-sum));
        filters.scales.push_back(0.01F * static_cast<float>(k + 1));
    }
    return filters;
}

/// One feature, written down as its definition says.
float feature(const float* image, const FeatureRecipe& recipe, const InputShape& shape,
              const Filters& filters, std::size_t cell, std::size_t filter, bool positive) {
    const PatchGeometry geometry(shape, recipe.side);
    const auto grid = static_cast<std::size_t>(recipe.grid);
    const std::size_t y = cell / grid;
    const std::size_t x = cell % grid;
    std::int64_t steps = 0;
    std::int64_t patches = 0;
    for (std::size_t row = y * geometry.rows() / grid; row < (y + 1) * geometry.rows() / grid; ++row) {
        for (std::size_t column = x * geometry.columns() / grid; column < (x + 1) * geometry.columns() / grid;
             ++column) {
            const float* start = image + geometry.start(row, column);
            std::int64_t product = 0;
            for (std::size_t i = 0; i < geometry.pixels(); ++i)
                product += filters.values[filter * geometry.pixels() + i] *
                           static_cast<std::int64_t>(start[geometry.offsets()[i]]);
            const auto inverse = static_cast<float>(1.0 / contrast_of(start, geometry.offsets()).deviation);
            const float z = static_cast<float>(product) * inverse * filters.scales[filter];
            const float above = std::max((positive ? z : -z) - 0.1F, 0.0F);
            steps +=
                std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(above * 256.0F + 0.5F)), 8191);
            ++patches;
        }
    }
    return static_cast<float>(std::sqrt(static_cast<double>(steps) / (256.0 * static_cast<double>(patches))));
}

void check_against_definition(const char* text, const InputShape& shape) {
    INFO(text);
    const auto recipe = parse_feature_recipe(text).value();
    const auto filters = random_filters(static_cast<std::size_t>(recipe.count),
                                        static_cast<std::size_t>(shape.channels * recipe.side * recipe.side));
    const PatchFeatures features(recipe, shape, filters);
    REQUIRE(static_cast<std::int64_t>(features.size()) == feature_count(recipe, shape).value());
    const auto image = pixels_of(images(1, shape, 4).features);
    std::vector<float> found(features.size());
    features.apply(image.data(), found);
    std::size_t place = 0;
    std::size_t wrong = 0;
    std::size_t zeros = 0;
    for (std::size_t cell = 0; cell < static_cast<std::size_t>(recipe.grid * recipe.grid); ++cell) {
        for (std::size_t filter = 0; filter < filters.count; ++filter) {
            for (const bool positive : {true, false}) {
                wrong +=
                    found[place] != feature(image.data(), recipe, shape, filters, cell, filter, positive);
                zeros += found[place] == 0.0F;
                ++place;
            }
        }
    }
    CHECK(wrong == 0);
    CHECK(zeros < found.size() / 2);
}

}  // namespace

TEST_CASE("features of patches are, bit for bit, what their definition says") {
    check_against_definition("patches:1x2-1x1", {1, 8, 8});
    check_against_definition("patches:8x6-4x4", {1, 28, 28});
    check_against_definition("patches:11x5-3x3", {3, 17, 13});
    check_against_definition("patches:20x16-2x2", {2, 20, 31});
}

TEST_CASE("a response that is out of range counts as the largest") {
    const auto recipe = parse_feature_recipe("patches:1x2-1x1").value();
    Filters filters{1, 4, {127, -127, 127, -127}, {1e4F}};
    const PatchFeatures features(recipe, {1, 8, 8}, filters);
    std::vector<float> image(64);
    for (std::size_t i = 0; i < image.size(); ++i)
        image[i] = i % 2 == 0 ? 255.0F : 0.0F;
    std::vector<float> found(2);
    features.apply(image.data(), found);
    // Of seven patches in a row, four answer with the largest and three with the smallest number.
    CHECK(found[0] == static_cast<float>(std::sqrt(8191.0 * 28.0 / (256.0 * 49.0))));
    CHECK(found[1] == static_cast<float>(std::sqrt(8191.0 * 21.0 / (256.0 * 49.0))));
}

TEST_CASE("a flat image has no features, however bright it is") {
    const auto recipe = parse_feature_recipe("patches:9x3-2x2").value();
    const PatchFeatures features(recipe, {1, 10, 10}, random_filters(9, 9));
    std::vector<float> found(features.size(), 1.0F);
    features.apply(std::vector<float>(100, 255.0F).data(), found);
    CHECK(found == std::vector<float>(features.size(), 0.0F));
}
