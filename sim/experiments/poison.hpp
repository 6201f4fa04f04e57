#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "sim/experiments/study_settings.hpp"

namespace unlearn::sim::experiments {

/// Returns the names of the poisoned nodes. They depend only on the names, their number and the scenario's
/// seed.
[[nodiscard]] std::set<std::string> poisoned_nodes(const PoisonSettings& settings,
                                                   std::vector<std::string> names,
                                                   std::uint64_t scenario_seed);

/// Returns a seed's payload (safetensors) in which the rows of the last layer are exchanged, so that it names
/// one class where it means another. @return the unchanged payload if it is not a valid one.
[[nodiscard]] std::vector<std::uint8_t> poisoned_payload(PoisonSettings::Kind kind,
                                                         std::span<const std::uint8_t> payload);

}  // namespace unlearn::sim::experiments
