#include "node/learning/features/filters.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "node/learning/features/eigen.hpp"

namespace unlearn::learning {
namespace {

/// Added to the variance of each direction before whitening, for patches of about unit variance.
constexpr double kWhiteningFloor = 0.1;
constexpr int kRounds = 10;
constexpr double kLargestValue = 127.0;

double length_of(const double* vector, std::size_t size) {
    double sum = 0.0;
    for (std::size_t i = 0; i < size; ++i)
        sum += vector[i] * vector[i];
    return std::sqrt(sum);
}

void make_unit(double* vector, std::size_t size) {
    const double length = length_of(vector, size);
    for (std::size_t i = 0; i < size; ++i)
        vector[i] /= length;
}

// Transposes [rows, columns]. Inner loops over vectors that lie side by side are several times faster.
std::vector<double> transposed(const std::vector<double>& matrix, std::size_t rows, std::size_t columns) {
    std::vector<double> result(matrix.size());
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column)
            result[column * rows + row] = matrix[row * columns + column];
    }
    return result;
}

// The products of a vector with `count` others, given as [size, count]. Every sum runs in the order of size.
void products(const double* vector, const std::vector<double>& others, std::size_t size, std::size_t count,
              double* result) {
    std::fill_n(result, count, 0.0);
    for (std::size_t i = 0; i < size; ++i) {
        const double factor = vector[i];
        const double* row = others.data() + i * count;
        for (std::size_t k = 0; k < count; ++k)
            result[k] += factor * row[k];
    }
}

std::vector<double> covariance_of(const SampledPatches& patches) {
    const std::size_t size = patches.pixels;
    std::vector<double> sums(size * size, 0.0);
    for (std::size_t n = 0; n < patches.count; ++n) {
        const double* patch = patches.values.data() + n * size;
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = 0; j < size; ++j)
                sums[i * size + j] += patch[i] * patch[j];
        }
    }
    for (double& sum : sums)
        sum /= static_cast<double>(patches.count);
    return sums;
}

/// Adds each patch, times its product with the nearest centre, to that centre.
void move_centres(const SampledPatches& patches, std::vector<double>& centres, std::size_t count) {
    const std::size_t size = patches.pixels;
    const auto others = transposed(centres, count, size);
    std::vector<double> similarity(count);
    for (std::size_t n = 0; n < patches.count; ++n) {
        const double* patch = patches.values.data() + n * size;
        products(patch, others, size, count, similarity.data());
        const auto nearest = std::max_element(similarity.begin(), similarity.end(),
                                              [](double a, double b) { return std::fabs(a) < std::fabs(b); });
        double* centre = centres.data() + static_cast<std::size_t>(nearest - similarity.begin()) * size;
        for (std::size_t i = 0; i < size; ++i)
            centre[i] += *nearest * patch[i];
    }
    for (std::size_t k = 0; k < count; ++k)
        make_unit(centres.data() + k * size, size);
}

// Rounds a filter and then moves those values by one whose rounding was worst, until the sum is 0.
void round_filter(const std::vector<double>& filter, double scale, std::int8_t* rounded) {
    std::vector<double> excess(filter.size());
    int sum = 0;
    for (std::size_t i = 0; i < filter.size(); ++i) {
        const double value = std::floor(filter[i] / scale + 0.5);
        excess[i] = value - filter[i] / scale;
        rounded[i] = static_cast<std::int8_t>(value);
        sum += rounded[i];
    }
    while (sum != 0) {
        const int step = sum > 0 ? -1 : 1;
        std::size_t worst = filter.size();
        for (std::size_t i = 0; i < filter.size(); ++i) {
            const int moved = rounded[i] + step;
            if (moved < -kLargestValue || moved > kLargestValue) continue;
            if (worst == filter.size() || -step * excess[i] > -step * excess[worst]) worst = i;
        }
        rounded[worst] = static_cast<std::int8_t>(rounded[worst] + step);
        excess[worst] += step;
        sum += step;
    }
}

}  // namespace

std::vector<double> whitening_of(const SampledPatches& patches) {
    const std::size_t size = patches.pixels;
    const Eigen eigen = eigen_of_symmetric(covariance_of(patches), size);
    std::vector<double> matrix(size * size, 0.0);
    for (std::size_t k = 0; k < size; ++k) {
        const double factor = 1.0 / std::sqrt(std::max(eigen.values[k], 0.0) + kWhiteningFloor);
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = 0; j < size; ++j)
                matrix[i * size + j] += factor * eigen.vectors[i * size + k] * eigen.vectors[j * size + k];
        }
    }
    return matrix;
}

void transform(SampledPatches& patches, const std::vector<double>& matrix) {
    std::vector<double> image(patches.pixels);
    for (std::size_t n = 0; n < patches.count; ++n) {
        double* patch = patches.values.data() + n * patches.pixels;
        products(patch, matrix, patches.pixels, patches.pixels, image.data());
        std::copy(image.begin(), image.end(), patch);
    }
}

std::vector<double> spherical_centres(const SampledPatches& patches, std::size_t count,
                                      RandomStream& stream) {
    const std::size_t size = patches.pixels;
    std::vector<std::size_t> order(patches.count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    stream.shuffle(std::span(order));
    std::vector<double> centres(count * size);
    for (std::size_t k = 0; k < count; ++k) {
        std::copy_n(patches.values.data() + order[k] * size, size, centres.data() + k * size);
        make_unit(centres.data() + k * size, size);
    }
    for (int round = 0; round < kRounds; ++round)
        move_centres(patches, centres, count);
    return centres;
}

Filters make_filters(const std::vector<double>& centres, const std::vector<double>& whitening,
                     std::size_t pixels) {
    Filters filters{centres.size() / pixels, pixels, std::vector<std::int8_t>(centres.size()), {}};
    std::vector<double> filter(pixels);
    for (std::size_t k = 0; k < filters.count; ++k) {
        products(centres.data() + k * pixels, whitening, pixels, pixels, filter.data());
        const double mean = std::accumulate(filter.begin(), filter.end(), 0.0) / static_cast<double>(pixels);
        double largest = 0.0;
        for (double& value : filter) {
            value -= mean;
            largest = std::max(largest, std::fabs(value));
        }
        const double scale = largest > 0.0 ? largest / kLargestValue : 1.0;
        round_filter(filter, scale, filters.values.data() + k * pixels);
        filters.scales.push_back(static_cast<float>(scale));
    }
    return filters;
}

}  // namespace unlearn::learning
