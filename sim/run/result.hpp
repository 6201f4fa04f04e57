#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "node/network/traffic.hpp"
#include "sim/run/nodes.hpp"
#include "sim/scenario/scenario.hpp"

/// result.json (schema 1, see sim/README.md) from what a run found out.
namespace unlearn::sim::run {

/// `machine`: what this runs on, "cpu" and "cores".
[[nodiscard]] nlohmann::json machine_json();

/// Everything that is known before the first exit.
[[nodiscard]] nlohmann::json begin_result(const scenario::Scenario& scenario, const Nodes& nodes,
                                          const std::vector<Evaluation>& evaluations);

/// One element of `exits`.
[[nodiscard]] nlohmann::json exit_json(const ExitOutcome& exit, const std::vector<Evaluation>& before,
                                       const std::vector<Evaluation>& after);

/// `traffic`. `sent` counts at all nodes together, by message kind; `handshake_bytes` where they were
/// counted.
[[nodiscard]] nlohmann::json traffic_json(std::span<const network::TrafficCount> sent,
                                          std::optional<std::uint64_t> handshake_bytes,
                                          std::uint64_t raw_seed_bytes);

/// Writes result.json and report.html.
[[nodiscard]] tl::expected<void, std::string> write_result(const std::filesystem::path& folder,
                                                           const nlohmann::json& result,
                                                           const topologies::Graph& graph);

}  // namespace unlearn::sim::run
