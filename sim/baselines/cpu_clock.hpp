#pragma once

#include <time.h>

namespace unlearn::sim::baselines {

/// Returns the CPU time of the calling thread so far (CLOCK_THREAD_CPUTIME_ID). Other work on the machine
/// does not count.
[[nodiscard]] inline double thread_cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace unlearn::sim::baselines
