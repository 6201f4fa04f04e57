#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "sim/experiments/study_settings.hpp"

namespace unlearn::sim::experiments {

/// Who is poisoned: drawn from these names with the scenario's seed, whatever else the scenario says.
[[nodiscard]] std::set<std::string> poisoned_nodes(const PoisonSettings& settings,
                                                   std::vector<std::string> names,
                                                   std::uint64_t scenario_seed);

/// A seed's payload (safetensors) with the rows of its last layer exchanged, so that it says one class where
/// it means another. @return the payload as it was when it is none of ours.
[[nodiscard]] std::vector<std::uint8_t> poisoned_payload(PoisonSettings::Kind kind,
                                                         std::span<const std::uint8_t> payload);

}  // namespace unlearn::sim::experiments
