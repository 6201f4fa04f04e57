#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "node/network/traffic.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::fleet {

/// Asks a daemon for its metrics (GET /metrics on its control socket). Returns what it has sent, by message
/// kind.
[[nodiscard]] Result<std::vector<network::TrafficCount>> ask_traffic(const std::filesystem::path& socket);

}  // namespace unlearn::sim::fleet
