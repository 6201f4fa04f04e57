#include "node/learning/features/filters.hpp"

#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "tests/unit/features/examples.hpp"

using namespace unlearn::learning;
using unlearn::testing::images;

namespace {

constexpr InputShape kShape{1, 16, 16};

SampledPatches patches_of(std::size_t count, std::int64_t side = 4) {
    RandomStream stream(3);
    const auto pixels = pixels_of(images(200, kShape, 8).features);
    return sample_patches(pixels, kShape, side, count, stream);
}

/// The variance of the pixel that varies least, and the largest covariance of two pixels.
struct Moments {
    double smallest_variance = 1e9;
    double largest_covariance = 0.0;
};

Moments moments_of(const SampledPatches& patches) {
    Moments moments;
    for (std::size_t i = 0; i < patches.pixels; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = 0.0;
            for (std::size_t n = 0; n < patches.count; ++n)
                sum += patches.values[n * patches.pixels + i] * patches.values[n * patches.pixels + j];
            sum /= static_cast<double>(patches.count);
            if (i == j)
                moments.smallest_variance = std::min(moments.smallest_variance, sum);
            else
                moments.largest_covariance = std::max(moments.largest_covariance, std::fabs(sum));
        }
    }
    return moments;
}

double dot(const double* first, const double* second, std::size_t size) {
    return std::inner_product(first, first + size, second, 0.0);
}

}  // namespace

TEST_CASE("pixels come back from scaled features as whole numbers") {
    std::vector<float> features(256);
    for (std::size_t pixel = 0; pixel < 256; ++pixel)
        features[pixel] = static_cast<float>(pixel) / 255.0F;
    features.push_back(-1.0F);
    features.push_back(7.5F);
    const auto pixels = pixels_of(features);
    for (int pixel = 0; pixel < 256; ++pixel)
        CHECK(pixels[static_cast<std::size_t>(pixel)] == static_cast<float>(pixel));
    CHECK(pixels[256] == 0.0F);
    CHECK(pixels[257] == 255.0F);
}

TEST_CASE("a patch's contrast is its mean, and its deviation with 10 added to the variance") {
    const std::vector<float> image{1, 2, 3, 4, 5, 6, 7, 8, 250};
    const PatchGeometry geometry({1, 3, 3}, 2);
    CHECK(geometry.pixels() == 4);
    CHECK(geometry.rows() == 2);
    CHECK(geometry.columns() == 2);
    const auto contrast = contrast_of(image.data() + geometry.start(1, 1), geometry.offsets());
    CHECK(contrast.mean == (5.0 + 6.0 + 8.0 + 250.0) / 4.0);
    const double variance = (25.0 + 36.0 + 64.0 + 62500.0) / 4.0 - contrast.mean * contrast.mean;
    CHECK(contrast.deviation == doctest::Approx(std::sqrt(variance + 10.0)));
}

TEST_CASE("a patch of a colour image has the pixels of all channels") {
    const PatchGeometry geometry({3, 4, 5}, 2);
    CHECK(geometry.offsets() == std::vector<std::size_t>{0, 1, 5, 6, 20, 21, 25, 26, 40, 41, 45, 46});
    CHECK(geometry.rows() == 3);
    CHECK(geometry.columns() == 4);
}

TEST_CASE("sampled patches have mean 0, and flat ones are not taken") {
    const auto patches = patches_of(500);
    REQUIRE(patches.count == 500);
    for (std::size_t n = 0; n < patches.count; ++n) {
        const double* patch = patches.values.data() + n * patches.pixels;
        CHECK(std::fabs(std::accumulate(patch, patch + patches.pixels, 0.0)) < 1e-9);
        CHECK(dot(patch, patch, patches.pixels) > 0.0);
    }
    RandomStream stream(3);
    const std::vector<float> flat(2'560, 77.0F);
    CHECK(sample_patches(flat, kShape, 4, 100, stream).count == 0);
}

TEST_CASE("whitened patches vary alike in all directions that varied before") {
    auto patches = patches_of(4'000);
    const Moments before = moments_of(patches);
    transform(patches, whitening_of(patches));
    const Moments after = moments_of(patches);
    CHECK(after.largest_covariance < 0.5 * before.largest_covariance);
    CHECK(after.largest_covariance < 0.15 * after.smallest_variance);
}

TEST_CASE("centres find the directions that patches lie along, whatever their sign") {
    // Patches along three axes of eight, with a little noise.
    RandomStream stream(9);
    SampledPatches patches{600, 8, {}};
    for (std::size_t n = 0; n < patches.count; ++n) {
        for (std::size_t i = 0; i < patches.pixels; ++i) {
            const double along = i == n % 3 ? (n % 2 == 0 ? 2.0 : -2.0) : 0.0;
            patches.values.push_back(along + 0.1 * (stream.uniform() - 0.5));
        }
    }
    RandomStream draws(1);
    const auto centres = spherical_centres(patches, 3, draws);
    std::vector<bool> found(8, false);
    for (std::size_t k = 0; k < 3; ++k) {
        const double* centre = centres.data() + k * 8;
        CHECK(dot(centre, centre, 8) == doctest::Approx(1.0));
        for (std::size_t i = 0; i < 3; ++i)
            if (std::fabs(centre[i]) > 0.99) found[i] = true;
    }
    CHECK(found == std::vector<bool>{true, true, true, false, false, false, false, false});
}

TEST_CASE("filters are whole numbers that sum to 0 and use the range") {
    auto patches = patches_of(4'000, 5);
    const auto whitening = whitening_of(patches);
    const std::size_t pixels = patches.pixels;
    transform(patches, whitening);
    RandomStream stream(2);
    const auto centres = spherical_centres(patches, 12, stream);
    const auto filters = make_filters(centres, whitening, pixels);
    REQUIRE(filters.count == 12);
    for (std::size_t k = 0; k < filters.count; ++k) {
        const auto* filter = filters.values.data() + k * pixels;
        CHECK(std::accumulate(filter, filter + pixels, 0) == 0);
        int largest = 0;
        double error = 0.0;
        std::vector<double> exact(pixels, 0.0);
        double mean = 0.0;
        for (std::size_t i = 0; i < pixels; ++i) {
            exact[i] = dot(centres.data() + k * pixels, whitening.data() + i * pixels, pixels);
            mean += exact[i] / static_cast<double>(pixels);
            largest = std::max(largest, std::abs(filter[i]));
        }
        for (std::size_t i = 0; i < pixels; ++i)
            error = std::max(
                error, std::fabs(static_cast<double>(filter[i]) * filters.scales[k] - (exact[i] - mean)));
        CHECK(largest >= 126);
        // A step for rounding, and at most one more for the sum.
        CHECK(error <= 1.51 * filters.scales[k]);
    }
}
