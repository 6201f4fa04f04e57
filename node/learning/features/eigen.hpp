#pragma once

#include <cstddef>
#include <vector>

namespace unlearn::learning {

/// The eigenvalues and eigenvectors of a symmetric matrix. `vectors` is row-major; column k belongs to
/// values[k]. They come in no particular order.
struct Eigen {
    std::vector<double> values;
    std::vector<double> vectors;
};

/// Decomposes a symmetric row-major matrix [size, size] by cyclic Jacobi rotations (Golub and Van Loan,
/// Matrix Computations, 8.5). LAPACK would be faster, but it rounds differently on each machine. The bits of
/// the result are the same everywhere.
[[nodiscard]] Eigen eigen_of_symmetric(std::vector<double> matrix, std::size_t size);

}  // namespace unlearn::learning
