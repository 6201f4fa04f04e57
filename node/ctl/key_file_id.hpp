#pragma once

#include <filesystem>

#include "node/ctl/outcome.hpp"
#include "protocol/identity.hpp"

namespace unlearn::ctl {

/// Returns the public id in a node's key file. Root may ask for any user's file. The secret is wiped from
/// memory.
[[nodiscard]] Outcome<protocol::NodeId> id_in_key_file(const std::filesystem::path& path);

}  // namespace unlearn::ctl
