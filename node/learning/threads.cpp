#include "node/learning/threads.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <dlfcn.h>

namespace unlearn::learning {

bool fix_thread_counts(int threads) {
    using SetThreads = void (*)(int);
    // OpenBLAS is found at run time, since any BLAS may be installed behind LibTorch.
    if (auto* symbol = dlsym(RTLD_DEFAULT, "openblas_set_num_threads"); symbol != nullptr) {
        reinterpret_cast<SetThreads>(symbol)(threads);
    }
    at::set_num_threads(threads);
    if (at::get_num_interop_threads() == 1) return true;
    try {
        at::set_num_interop_threads(1);
    } catch (const std::exception&) {
        return false;  // LibTorch refuses once its pool has started
    }
    return true;
}

BlasSpeed measure_blas() {
    constexpr std::int64_t kSize = 256;
    constexpr double kSlowGigaflops = 4.0;
    const at::NoGradGuard no_gradients;
    const auto a = at::full({kSize, kSize}, 0.5);
    auto product = at::mm(a, a);
    double best_seconds = 1.0;
    for (int i = 0; i < 5; ++i) {  // the fastest of several: other programs may be running
        const auto start = std::chrono::steady_clock::now();
        at::mm_out(product, a, a);
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        best_seconds = std::min(best_seconds, taken.count());
    }
    BlasSpeed speed;
    speed.gigaflops = 2.0 * kSize * kSize * kSize / std::max(best_seconds, 1e-9) / 1e9;
    speed.slow = speed.gigaflops < kSlowGigaflops;
    return speed;
}

std::string slow_blas_warning(const BlasSpeed& speed) {
    if (!speed.slow) return "";
    return "matrix products run at only " + std::to_string(speed.gigaflops) +
           " GFLOP/s: install an optimised BLAS, for example libopenblas0-pthread";
}

std::optional<std::string> better_blas_kernels() {
#if defined(__x86_64__)
    using CoreName = const char* (*)();
    auto* symbol = dlsym(RTLD_DEFAULT, "openblas_get_corename");
    if (symbol == nullptr || std::getenv("OPENBLAS_CORETYPE") != nullptr) return std::nullopt;
    const std::string chosen = reinterpret_cast<CoreName>(symbol)();
    const bool is_old = chosen == "Prescott" || chosen == "Core2" || chosen == "Nehalem";
    if (is_old && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
    return std::nullopt;
}

}  // namespace unlearn::learning
