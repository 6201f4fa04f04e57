#include "node/learning/features/eigen.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "node/learning/data/random.hpp"

using namespace unlearn::learning;

namespace {

// The largest difference between the matrix and vectors diag(values) vectors^T.
double reconstruction_error(const std::vector<double>& matrix, const Eigen& eigen, std::size_t size) {
    double worst = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t j = 0; j < size; ++j) {
            double sum = 0.0;
            for (std::size_t k = 0; k < size; ++k)
                sum += eigen.vectors[i * size + k] * eigen.values[k] * eigen.vectors[j * size + k];
            worst = std::max(worst, std::fabs(sum - matrix[i * size + j]));
        }
    }
    return worst;
}

// The largest difference between vectors^T vectors and the identity.
double orthogonality_error(const Eigen& eigen, std::size_t size) {
    double worst = 0.0;
    for (std::size_t a = 0; a < size; ++a) {
        for (std::size_t b = 0; b < size; ++b) {
            double sum = a == b ? -1.0 : 0.0;
            for (std::size_t i = 0; i < size; ++i)
                sum += eigen.vectors[i * size + a] * eigen.vectors[i * size + b];
            worst = std::max(worst, std::fabs(sum));
        }
    }
    return worst;
}

std::vector<double> random_symmetric(std::size_t size, std::uint64_t seed) {
    RandomStream stream(seed);
    std::vector<double> matrix(size * size);
    for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t j = 0; j <= i; ++j)
            matrix[i * size + j] = matrix[j * size + i] = stream.uniform() - 0.5;
    }
    return matrix;
}

}  // namespace

TEST_CASE("a symmetric matrix is made of its eigenvalues and eigenvectors") {
    for (const std::size_t size : {1U, 2U, 7U, 60U}) {
        INFO(size);
        const auto matrix = random_symmetric(size, size);
        const Eigen eigen = eigen_of_symmetric(matrix, size);
        CHECK(reconstruction_error(matrix, eigen, size) < 1e-12);
        CHECK(orthogonality_error(eigen, size) < 1e-12);
    }
}

TEST_CASE("eigenvalues that are known are found") {
    auto values = eigen_of_symmetric({2, 1, 0, 1, 2, 0, 0, 0, 5}, 3).values;
    std::sort(values.begin(), values.end());
    CHECK(values[0] == doctest::Approx(1.0));
    CHECK(values[1] == doctest::Approx(3.0));
    CHECK(values[2] == doctest::Approx(5.0));
}

TEST_CASE("a matrix of zeros and one with a direction without variance are decomposed, too") {
    const Eigen zeros = eigen_of_symmetric(std::vector<double>(16, 0.0), 4);
    CHECK(*std::max_element(zeros.values.begin(), zeros.values.end()) == 0.0);
    const std::vector<double> ones(25, 1.0);
    const Eigen eigen = eigen_of_symmetric(ones, 5);
    CHECK(reconstruction_error(ones, eigen, 5) < 1e-12);
    CHECK(*std::max_element(eigen.values.begin(), eigen.values.end()) == doctest::Approx(5.0));
}
