#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/result.hpp"

namespace unlearn::sim::support {

/// Returns this many loopback ports on which no program listens. They are outside the range from which the
/// system takes the ports of outgoing connections: a daemon that dials must never get the port of a daemon
/// that is still starting.
[[nodiscard]] Result<std::vector<std::uint16_t>> free_ports(std::size_t count);

/// Checks that no program listens on the `count` loopback ports from `first` on. The error is one line that
/// names the first port in use. If `first` is 0, the ports are found later, and nothing is checked.
[[nodiscard]] Result<void> check_ports_free(std::uint16_t first, std::size_t count);

}  // namespace unlearn::sim::support
