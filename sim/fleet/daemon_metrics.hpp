#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "node/network/traffic.hpp"

namespace unlearn::sim::fleet {

/// What a daemon has sent, by message kind, as its metrics say: GET /metrics over its control socket.
[[nodiscard]] tl::expected<std::vector<network::TrafficCount>, std::string> ask_traffic(
    const std::filesystem::path& socket);

}  // namespace unlearn::sim::fleet
