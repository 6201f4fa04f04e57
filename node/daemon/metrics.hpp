#pragma once

#include <chrono>
#include <string>

#include "node/daemon/node_service.hpp"

namespace unlearn::daemon {

/// Returns the metrics in the Prometheus text exposition format, version 0.0.4.
[[nodiscard]] std::string metrics_text(const NodeService& service, std::chrono::seconds uptime);

}  // namespace unlearn::daemon
