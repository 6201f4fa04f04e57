#pragma once

#include <nlohmann/json.hpp>

#include "node/daemon/node_service.hpp"

/// What the control API says about a node; docs/control-api.md describes it. Times are seconds since 1970 in
/// UTC, or null.
namespace unlearn::daemon {

[[nodiscard]] nlohmann::json status_json(const NodeService& service, std::chrono::seconds uptime);
[[nodiscard]] nlohmann::json peers_json(const NodeService& service);
[[nodiscard]] nlohmann::json exit_json(const protocol::ExitProgress& exit,
                                       const protocol::NetworkId& network);
[[nodiscard]] nlohmann::json event_json(const protocol::Event& event);
[[nodiscard]] nlohmann::json log_entry_json(const storage::LogEntry& entry);
[[nodiscard]] nlohmann::json prediction_json(const PredictionAnswer& answer,
                                             const std::vector<std::string>& class_names);

}  // namespace unlearn::daemon
