#include "node/learning/features/eigen.hpp"

#include <cmath>
#include <utility>

namespace unlearn::learning {
namespace {

constexpr int kMostSweeps = 60;
/// An element is rotated away while it is above this part of its diagonal elements' geometric mean.
constexpr double kSmall = 1e-14;

struct Rotation {
    double cosine;
    double sine;
};

Rotation rotation_for(double first, double second, double off_diagonal) {
    const double tau = (second - first) / (2.0 * off_diagonal);
    const double tangent = (tau >= 0.0 ? 1.0 : -1.0) / (std::fabs(tau) + std::sqrt(1.0 + tau * tau));
    const double cosine = 1.0 / std::sqrt(1.0 + tangent * tangent);
    return {cosine, tangent * cosine};
}

// Replaces two numbers by their combination with the rotation.
void rotate(double& first, double& second, const Rotation& by) {
    const double x = first;
    const double y = second;
    first = by.cosine * x - by.sine * y;
    second = by.sine * x + by.cosine * y;
}

}  // namespace

Eigen eigen_of_symmetric(std::vector<double> matrix, std::size_t size) {
    Eigen result{std::vector<double>(size), std::vector<double>(size * size, 0.0)};
    for (std::size_t i = 0; i < size; ++i)
        result.vectors[i * size + i] = 1.0;
    const auto at = [&](std::size_t row, std::size_t column) -> double& {
        return matrix[row * size + column];
    };
    bool has_rotated = true;
    for (int sweep = 0; sweep < kMostSweeps && has_rotated; ++sweep) {
        has_rotated = false;
        for (std::size_t p = 0; p < size; ++p) {
            for (std::size_t q = p + 1; q < size; ++q) {
                if (std::fabs(at(p, q)) <= kSmall * std::sqrt(std::fabs(at(p, p) * at(q, q)))) continue;
                has_rotated = true;
                const Rotation by = rotation_for(at(p, p), at(q, q), at(p, q));
                for (std::size_t i = 0; i < size; ++i)
                    rotate(at(p, i), at(q, i), by);
                for (std::size_t i = 0; i < size; ++i)
                    rotate(at(i, p), at(i, q), by);
                for (std::size_t i = 0; i < size; ++i)
                    rotate(result.vectors[i * size + p], result.vectors[i * size + q], by);
            }
        }
    }
    for (std::size_t i = 0; i < size; ++i)
        result.values[i] = at(i, i);
    return result;
}

}  // namespace unlearn::learning
