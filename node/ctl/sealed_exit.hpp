#pragma once

#include <nlohmann/json.hpp>

#include "node/ctl/outcome.hpp"
#include "protocol/identity.hpp"

namespace unlearn::ctl {

inline constexpr const char* kSealedExitSchema = "unlearnd sealed exit 1";

/// The owner and the network of a sealed exit.
struct SealedExit {
    protocol::NodeId owner;
    protocol::NetworkId network;
};

/// Checks a sealed exit offline. @return bad_input when the file is not one, not_verified when its signature
/// is not valid.
[[nodiscard]] Outcome<SealedExit> check_sealed_exit(const nlohmann::json& file);

}  // namespace unlearn::ctl
