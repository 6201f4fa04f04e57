#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <nlohmann/json.hpp>

namespace unlearn::sim::faults {

/// Runs `run_one` for `count` seeds from `first` on, in `jobs` processes (0: one for each core), and gives
/// the results to `show` in the order of the seeds. It uses processes because SQLite's random numbers and a
/// failed assertion affect a whole process. Returns the seeds whose process died, in order.
[[nodiscard]] std::vector<std::uint64_t> in_parallel(
    std::uint64_t first, std::uint64_t count, unsigned jobs,
    const std::function<nlohmann::json(std::uint64_t seed)>& run_one,
    const std::function<void(const nlohmann::json& result)>& show);

}  // namespace unlearn::sim::faults
