#include "node/learning/features/feature_map.hpp"

#include <cmath>
#include <limits>
#include <thread>

#include <doctest/doctest.h>

#include "node/learning/data/safetensors.hpp"
#include "tests/unit/features/examples.hpp"

using namespace unlearn::learning;
using unlearn::testing::hash_of;
using unlearn::testing::images;
using unlearn::testing::rows;

namespace {

FeatureRecipe recipe_of(const char* text) {
    return parse_feature_recipe(text).value();
}

FeatureMap learned(const char* recipe, const LabelledData& reference) {
    return FeatureMap::learn(recipe_of(recipe), reference).value();
}

std::vector<std::int16_t> features_of(const FeatureMap& map, const std::vector<float>& features) {
    const std::size_t count = features.size() / static_cast<std::size_t>(map.shape().size());
    std::vector<std::int16_t> result(count * map.size());
    map.apply(features, result);
    return result;
}

std::string problem_of(const char* recipe, const LabelledData& reference) {
    const auto map = FeatureMap::learn(recipe_of(recipe), reference);
    return map ? "" : map.error().message;
}

/// A map's file with something changed in it.
template <typename Change>
std::string problem_after(const FeatureMap& map, Change change) {
    auto tensors = read_safetensors(map.to_bytes()).value();
    change(tensors);
    const auto read = FeatureMap::from_bytes(map.recipe(), map.shape(), write_safetensors(tensors));
    return read ? "" : read.error().message;
}

}  // namespace

TEST_CASE("a map and the features of a row have the same bits everywhere") {
    // A change of any of these makes another network of every network that has features.
    const auto grey = learned("patches:10x6-4x4", images(60, {1, 28, 28}, 1));
    CHECK(hash_of(grey.to_bytes()) == 10819970539193551284U);
    CHECK(hash_of(features_of(grey, images(20, {1, 28, 28}, 2).features)) == 1163950576906004104U);
    const auto colour = learned("patches:7x5-2x2", images(40, {3, 12, 14}, 3));
    CHECK(hash_of(colour.to_bytes()) == 4944437283712441388U);
    CHECK(hash_of(features_of(colour, images(20, {3, 12, 14}, 4).features)) == 4106691614722532461U);
    const auto table = learned("fourier:50", rows(300, 13, 5));
    CHECK(hash_of(table.to_bytes()) == 10633106555348263486U);
    CHECK(hash_of(features_of(table, rows(20, 13, 6).features)) == 17049991895801151087U);
}

TEST_CASE("a row's features do not depend on the other rows, nor on threads") {
    const auto map = learned("patches:10x6-4x4", images(60, {1, 28, 28}, 1));
    const auto many = images(40, {1, 28, 28}, 2).features;
    const auto together = features_of(map, many);
    std::vector<std::int16_t> one_by_one(together.size());
    const auto apply_from = [&](std::size_t first) {
        for (std::size_t row = first; row < 40; row += 2) {
            map.apply(std::span(many).subspan(row * 784, 784),
                      std::span(one_by_one).subspan(row * map.size(), map.size()));
        }
    };
    std::thread other(apply_from, 1);
    apply_from(0);
    other.join();
    CHECK(one_by_one == together);
}

TEST_CASE("a map is learned without labels, and from the reference set alone") {
    auto reference = images(60, {1, 12, 12}, 1);
    const auto map = learned("patches:6x4-2x2", reference);
    reference.labels.assign(60, 3);
    reference.class_names = {"a", "b", "c", "d"};
    CHECK(learned("patches:6x4-2x2", reference).to_bytes() == map.to_bytes());
    CHECK(learned("patches:6x4-2x2", images(60, {1, 12, 12}, 2)).to_bytes() != map.to_bytes());
    CHECK(learned("patches:6x4-3x3", reference).to_bytes() != map.to_bytes());
}

TEST_CASE("features are standardised over the reference set") {
    for (const bool is_table : {false, true}) {
        INFO(is_table);
        const auto reference = is_table ? rows(500, 6, 1) : images(200, {1, 12, 12}, 1);
        const auto map = learned(is_table ? "fourier:20" : "patches:6x4-2x2", reference);
        const auto features = features_of(map, reference.features);
        for (std::size_t i = 0; i < map.size(); ++i) {
            double sum = 0.0;
            double squares = 0.0;
            for (std::size_t row = 0; row < reference.count; ++row) {
                const double feature = features[row * map.size() + i];
                sum += feature;
                squares += feature * feature;
            }
            const auto count = static_cast<double>(reference.count);
            CHECK(std::fabs(sum / count) < 1.0);
            CHECK(std::sqrt(squares / count) == doctest::Approx(64.0).epsilon(0.03));
        }
    }
}

TEST_CASE("the first features of a table are its columns") {
    const auto reference = rows(500, 3, 1);
    const auto map = learned("fourier:7", reference);
    REQUIRE(map.size() == 10);
    const auto features = features_of(map, {0.5F, -1.0F, 100.0F});
    CHECK(std::abs(features[0] - 32) <= 4);
    CHECK(std::abs(features[1] + 64) <= 4);
    CHECK(features[2] == kMostFeatureSteps);
}

TEST_CASE("rows that are close have features that are close, and others do not") {
    // Their squared distance is near that of the Gaussian kernel, which grows with the distance and then
    // ends.
    const auto map = learned("fourier:4000", rows(500, 3, 1));
    const auto features =
        features_of(map, {0.0F, 0.0F, 0.0F, 0.1F, 0.0F, 0.0F, 0.0F, 9.0F, 0.0F, 0.0F, 0.0F, 30.0F});
    const auto squared_distance = [&](std::size_t a, std::size_t b) {
        double sum = 0.0;
        for (std::size_t i = 3; i < map.size(); ++i) {
            const double difference = features[a * map.size() + i] - features[b * map.size() + i];
            sum += difference * difference;
        }
        return sum;
    };
    CHECK(squared_distance(0, 1) < 0.02 * squared_distance(0, 2));
    CHECK(squared_distance(0, 2) == doctest::Approx(squared_distance(0, 3)).epsilon(0.1));
}

TEST_CASE("a feature that is constant over the reference set is 0") {
    auto reference = rows(100, 3, 1);
    for (std::size_t row = 0; row < 100; ++row)
        reference.features[row * 3 + 1] = 0.0F;
    const auto map = learned("fourier:4", reference);
    const auto features = features_of(map, {1.0F, 5.0F, 1.0F});
    CHECK(features[0] != 0);
    CHECK(features[1] == 0);
}

TEST_CASE("numbers beyond all others give features within the range") {
    const auto map = learned("fourier:40", rows(100, 2, 1));
    const auto features = features_of(map, {1e19F, -1e19F, 0.0F, 0.0F});
    CHECK(features[0] == kMostFeatureSteps);
    CHECK(features[1] == -kMostFeatureSteps);
    for (const std::int16_t feature : features)
        CHECK(std::abs(feature) <= kMostFeatureSteps);
}

TEST_CASE("a reference set that nothing can be learned from is refused") {
    CHECK(problem_of("patches:30x6-4x4", images(29, {1, 28, 28}, 1)) ==
          "feature map patches:30x6-4x4: the reference set has only 29 rows");
    CHECK(problem_of("patches:30x6-4x4", images(30, {1, 28, 28}, 1)) == "");
    CHECK(problem_of("fourier:10", rows(1, 4, 1)) ==
          "feature map fourier:10: the reference set has only 1 rows");
    auto flat = images(50, {1, 28, 28}, 1);
    flat.features.assign(flat.features.size(), 0.3F);
    CHECK(problem_of("patches:4x6-4x4", flat) ==
          "feature map patches:4x6-4x4: the images of the reference set are flat; nothing can be learned "
          "from them");
    CHECK(problem_of("fourier:10", images(50, {1, 28, 28}, 1)) ==
          "feature map fourier:10 is for tables, and these are images");
}

TEST_CASE("a map comes back from its bytes") {
    for (const bool is_table : {false, true}) {
        INFO(is_table);
        const auto reference = is_table ? rows(100, 6, 1) : images(50, {3, 12, 12}, 1);
        const auto map = learned(is_table ? "fourier:20" : "patches:9x4-2x2", reference);
        const auto read = FeatureMap::from_bytes(map.recipe(), map.shape(), map.to_bytes());
        REQUIRE(read);
        CHECK(read->to_bytes() == map.to_bytes());
        CHECK(features_of(*read, reference.features) == features_of(map, reference.features));
    }
}

TEST_CASE("a map's file that was cut, changed or belongs to another map is refused") {
    const auto map = learned("patches:9x4-2x2", images(50, {1, 12, 12}, 1));
    const auto bytes = map.to_bytes();
    for (std::size_t length = 0; length < bytes.size(); length += 97)
        CHECK_FALSE(FeatureMap::from_bytes(map.recipe(), map.shape(), std::span(bytes).first(length)));
    CHECK_FALSE(FeatureMap::from_bytes(recipe_of("patches:8x4-2x2"), map.shape(), bytes));
    CHECK_FALSE(FeatureMap::from_bytes(recipe_of("patches:9x4-3x3"), map.shape(), bytes));
    CHECK_FALSE(FeatureMap::from_bytes(map.recipe(), {3, 12, 12}, bytes));
    CHECK_FALSE(FeatureMap::from_bytes(map.recipe(), {1, 1, 12}, bytes));

    using Tensors = std::vector<NamedTensor>;
    CHECK(problem_after(map, [](Tensors&) {}) == "");
    CHECK(problem_after(map, [](Tensors& all) { all[0].values[0] += 0.5F; }) ==
          "feature map: a filter is not whole");
    CHECK(problem_after(map, [](Tensors& all) {
              all[0].values[5] += all[0].values[5] > 0.0F ? -1.0F : 1.0F;
          }) == "feature map: a filter does not sum to 0");
    CHECK(problem_after(map, [](Tensors& all) { all[0].values[0] = 128.0F; }) ==
          "feature map: tensor \"filters\" has a number that no map has");
    CHECK(problem_after(map, [](Tensors& all) { all[1].values[0] = -1.0F; }) ==
          "feature map: tensor \"scales\" has a number that no map has");
    CHECK(problem_after(map, [](Tensors& all) { all[2].values[0] = 2e6F; }) ==
          "feature map: tensor \"mean\" has a number that no map has");
    CHECK(problem_after(map, [](Tensors& all) { all[3].values[0] = -1.0F; }) ==
          "feature map: tensor \"factor\" has a number that no map has");
    CHECK(problem_after(map, [](Tensors& all) { std::swap(all[2], all[3]); }) ==
          "feature map: has no tensor \"mean\" in its place");
    CHECK(problem_after(map, [](Tensors& all) { all.pop_back(); }) ==
          "feature map: has no tensor \"factor\" in its place");
    CHECK(problem_after(map, [](Tensors& all) {
              all.push_back({"more", {1}, {0.0F}});
          }) == "feature map: has tensors that do not belong to it");

    const auto table = learned("fourier:5", rows(100, 4, 1));
    CHECK(problem_after(table, [](Tensors& all) { all[1].values[0] = 1.5F; }) ==
          "feature map: tensor \"phases\" has a number that no map has");
    CHECK(problem_after(table, [](Tensors& all) {
              all[0].shape = {4, 5};
          }) == "feature map: tensor \"frequencies\" has the wrong shape");
}
