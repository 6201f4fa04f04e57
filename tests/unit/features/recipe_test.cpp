#include "node/learning/features/recipe.hpp"

#include <doctest/doctest.h>

using namespace unlearn::learning;

namespace {

std::int64_t count_of(const char* recipe, const InputShape& shape) {
    return feature_count(parse_feature_recipe(recipe).value(), shape).value();
}

std::string problem_of(const char* recipe, const InputShape& shape) {
    const auto count = feature_count(parse_feature_recipe(recipe).value(), shape);
    return count ? "" : count.error().message;
}

}  // namespace

TEST_CASE("a recipe has one text") {
    for (const char* text :
         {"patches:64x6-4x4", "patches:1x2-1x1", "patches:1024x16-16x16", "fourier:1", "fourier:16384"}) {
        INFO(text);
        CHECK(parse_feature_recipe(text).value().text() == text);
    }
    CHECK(parse_feature_recipe("patches:64x6-4x4").value() == FeatureRecipe{FeatureKind::patches, 64, 6, 4});
    CHECK(parse_feature_recipe("fourier:1024").value() == FeatureRecipe{FeatureKind::fourier, 1024, 0, 0});
}

TEST_CASE("what is not a recipe is refused with examples of recipes") {
    for (const char* text : {"",
                             "patches",
                             "patches:",
                             "patches:64",
                             "patches:64x6",
                             "patches:64x6-4",
                             "patches:64x6-4x5",
                             "patches:0x6-4x4",
                             "patches:064x6-4x4",
                             "patches:64x1-4x4",
                             "patches:64x17-4x4",
                             "patches:1025x6-4x4",
                             "patches:64x6-17x17",
                             "patches:64x6-4x4 ",
                             "patches:64x6-4x4x4",
                             "patches:+64x6-4x4",
                             "fourier:",
                             "fourier:0",
                             "fourier:16385",
                             "fourier:99999999999999999999",
                             "fourier:12x",
                             "Fourier:12",
                             "wavelets:3"}) {
        INFO(text);
        const auto parsed = parse_feature_recipe(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().message == "unknown feature map \"" + std::string(text) +
                                            "\": expected for example patches:64x6-4x4 or fourier:1024");
    }
    const auto hostile = parse_feature_recipe("patches:\n\x1b[2J" + std::string(1000, 'x'));
    REQUIRE_FALSE(hostile);
    CHECK(hostile.error().message.size() < 200);
    CHECK(hostile.error().message.find('\n') == std::string::npos);
    CHECK(hostile.error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("a map of patches has two features for each filter and cell; one of a table keeps the columns") {
    CHECK(count_of("patches:64x6-4x4", {1, 28, 28}) == 2048);
    CHECK(count_of("patches:64x6-3x3", {3, 32, 32}) == 1152);
    CHECK(count_of("patches:5x8-1x1", {1, 8, 8}) == 10);
    CHECK(count_of("fourier:1024", {1, 1, 13}) == 1037);
}

TEST_CASE("a map that cannot be applied to such rows is refused, and the message says why") {
    CHECK(problem_of("patches:64x6-4x4", {1, 1, 13}) ==
          "feature map patches:64x6-4x4: is for images of at least 8x8, and these are 1x13");
    CHECK(problem_of("patches:64x6-4x4", {1, 7, 28}) ==
          "feature map patches:64x6-4x4: is for images of at least 8x8, and these are 7x28");
    CHECK(problem_of("patches:64x6-4x4", {1, 28, 8}) ==
          "feature map patches:64x6-4x4: images of 28x8 have fewer patches along a side than the grid has "
          "cells");
    CHECK(
        problem_of("patches:4x9-1x1", {1, 8, 8}) ==
        "feature map patches:4x9-1x1: images of 8x8 have fewer patches along a side than the grid has cells");
    CHECK(problem_of("patches:4x16-1x1", {2, 32, 32}) == "");
    CHECK(problem_of("patches:4x16-1x1", {3, 32, 32}) ==
          "feature map patches:4x16-1x1: a patch has more than 512 values");
    CHECK(problem_of("patches:4x6-1x1", {1, 517, 517}) ==
          "feature map patches:4x6-1x1: images of 517x517 are too large for this grid");
    CHECK(problem_of("patches:4x6-2x2", {1, 517, 517}) == "");
    CHECK(problem_of("patches:600x6-4x4", {1, 28, 28}) ==
          "feature map patches:600x6-4x4 gives 19200 features, more than 16384");
    CHECK(problem_of("fourier:12", {1, 28, 28}) ==
          "feature map fourier:12 is for tables, and these are images");
    CHECK(problem_of("fourier:16384", {1, 1, 1}) ==
          "feature map fourier:16384 gives 16385 features, more than 16384");
}
