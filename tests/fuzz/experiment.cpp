#include "sim/experiments/experiment.hpp"

#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Graphs of thousands of nodes and thousands of runs are allowed, and slow to make under sanitizers.
    if (size > 4096) return 0;
    constexpr std::size_t kMostRuns = 8;
    const auto experiment = unlearn::sim::experiments::parse_experiment(unlearn::fuzz::text_of(data, size),
                                                                        "/tmp/fuzz.toml", {}, kMostRuns);
    if (!experiment) {
        unlearn::fuzz::require_one_line(experiment.error().message);
        return 0;
    }
    unlearn::fuzz::require(!experiment->runs.empty() && experiment->runs.size() <= kMostRuns);
    for (const auto& run : experiment->runs)
        unlearn::fuzz::require(run.family < experiment->families);
    return 0;
}
