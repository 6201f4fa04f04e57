#pragma once

#include <optional>
#include <string>

namespace unlearn::learning {

// Fixes how many threads one call into LibTorch and BLAS may use, for the whole process. Call it once at
// start-up, before the first tensor is made. Results are repeatable bit for bit only for one and the same
// number. Fails if LibTorch was used before; returns false then. The environment variable
// OPENBLAS_NUM_THREADS would come too late here.
[[nodiscard]] bool fix_thread_counts(int threads);

struct BlasSpeed {
    double gigaflops = 0.0;  // of a product of two 256 x 256 matrices
    bool slow = false;  // so slow that a reference BLAS must be installed where an optimised one should be
};

// Measures the installed BLAS for some milliseconds (a reference BLAS takes about 50).
[[nodiscard]] BlasSpeed measure_blas();

// One line for the log if BLAS is slow, with what to install; empty otherwise.
[[nodiscard]] std::string slow_blas_warning(const BlasSpeed& speed);

// Debian 12's OpenBLAS takes processors that are newer than itself for ones of 2004, and multiplies several
// times slower than it could. The kernels to ask for by the environment variable OPENBLAS_CORETYPE in that
// case; nothing where it has chosen well or where the user has. It reads the variable when it is loaded: from
// inside a program it is too late.
[[nodiscard]] std::optional<std::string> better_blas_kernels();

}  // namespace unlearn::learning
