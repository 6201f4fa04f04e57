#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace unlearn::sim {

/// Ways to break the exactness rule on purpose. Each must make the counterfactual check fail: this is how we
/// know that the check can.
enum class Violation { none, distil_from_ensemble, keep_old_rho, fused_cache, shared_stream };

inline constexpr std::array<std::pair<std::string_view, Violation>, 4> kViolations{{
    {"distil-from-ensemble", Violation::distil_from_ensemble},
    {"keep-old-rho", Violation::keep_old_rho},
    {"fused-cache", Violation::fused_cache},
    {"shared-stream", Violation::shared_stream},
}};

[[nodiscard]] constexpr std::optional<Violation> violation_from(std::string_view name) {
    for (const auto& [known, value] : kViolations)
        if (known == name) return value;
    return std::nullopt;
}

[[nodiscard]] constexpr std::string_view to_string(Violation violation) {
    for (const auto& [known, value] : kViolations)
        if (value == violation) return known;
    return "none";
}

}  // namespace unlearn::sim
