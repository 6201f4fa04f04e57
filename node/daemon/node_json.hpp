#pragma once

#include <nlohmann/json.hpp>

#include "node/daemon/node_service.hpp"

/// What the control API says about a node, as JSON; docs/control-api.md describes it. Times are seconds since
/// 1970 in UTC, or null.
namespace unlearn::daemon {

/// Returns the answer to `GET /v1/status`.
[[nodiscard]] nlohmann::json status_json(const NodeService& service, std::chrono::seconds uptime);
/// Returns the answer to `GET /v1/peers`.
[[nodiscard]] nlohmann::json peers_json(const NodeService& service);
[[nodiscard]] nlohmann::json network_json(const NodeService& service);
/// Returns the answer to `GET /v1/exit`.
[[nodiscard]] nlohmann::json exit_json(const protocol::ExitProgress& exit,
                                       const protocol::NetworkId& network);
/// Returns one line of `GET /v1/events`.
[[nodiscard]] nlohmann::json event_json(const protocol::Event& event);
/// Returns one entry of `GET /v1/log`.
[[nodiscard]] nlohmann::json log_entry_json(const storage::LogEntry& entry);
/// Returns the answer to `POST /v1/predict`.
[[nodiscard]] nlohmann::json prediction_json(const PredictionAnswer& answer,
                                             const std::vector<std::string>& class_names);

}  // namespace unlearn::daemon
