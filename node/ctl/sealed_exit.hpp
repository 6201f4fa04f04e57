#pragma once

#include <nlohmann/json.hpp>

#include "node/ctl/outcome.hpp"
#include "protocol/identity.hpp"

namespace unlearn::ctl {

inline constexpr const char* kSealedExitSchema = "unlearnd sealed exit 1";

/// Whose exit a sealed one is, and of which network.
struct SealedExit {
    protocol::NodeId owner;
    protocol::NetworkId network;
};

/// Checks a sealed exit offline. @return bad_input when it is no such file, not_verified when its signature
/// does not hold.
[[nodiscard]] Outcome<SealedExit> check_sealed_exit(const nlohmann::json& file);

}  // namespace unlearn::ctl
