#pragma once

#include <optional>
#include <string>

namespace unlearn::learning {

/// Sets for the whole process how many threads one call into LibTorch and BLAS may use. Call it once at
/// start-up, before the first tensor is made. Results are repeatable bit for bit only with the same number of
/// threads. Returns false if LibTorch was used before. Setting the environment variable OPENBLAS_NUM_THREADS
/// from inside the process would be too late.
[[nodiscard]] bool fix_thread_counts(int threads);

/// The measured speed of the installed BLAS.
struct BlasSpeed {
    double gigaflops = 0.0;  ///< for a product of two 256 x 256 matrices
    bool slow = false;       ///< too slow for an optimised BLAS: a reference BLAS must be installed
};

/// Measures the installed BLAS. This takes some milliseconds (about 50 with a reference BLAS).
[[nodiscard]] BlasSpeed measure_blas();

/// Returns one line for the log, with what to install, if BLAS is slow; empty otherwise.
[[nodiscard]] std::string slow_blas_warning(const BlasSpeed& speed);

/// Returns the kernels to request with the environment variable OPENBLAS_CORETYPE. Returns nothing if
/// OpenBLAS has chosen well or if the user has set the variable. Debian 12's OpenBLAS takes processors that
/// are newer than itself for ones of 2004, and then multiplies several times slower than it could. OpenBLAS
/// reads the variable when it is loaded, so a program cannot set it for itself.
[[nodiscard]] std::optional<std::string> better_blas_kernels();

}  // namespace unlearn::learning
