#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace unlearn::sim::support {

/// So many ports of the loopback that nobody listens at. Not of the range that the system takes the ports of
/// outgoing connections from: a daemon that dials must never be given the port of one that is still starting.
[[nodiscard]] tl::expected<std::vector<std::uint16_t>, std::string> free_ports(std::size_t count);

/// Whether nobody listens at the `count` ports of the loopback from `first` on; 0: ports that are found
/// later.
/// @return the first that is taken, in one line.
[[nodiscard]] tl::expected<void, std::string> check_ports_free(std::uint16_t first, std::size_t count);

}  // namespace unlearn::sim::support
