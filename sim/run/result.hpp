#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "node/network/traffic.hpp"
#include "sim/report/run_result.hpp"
#include "sim/run/nodes.hpp"
#include "sim/scenario/scenario.hpp"

/// From what a run found out to its result.
namespace unlearn::sim::run {

/// What this runs on.
[[nodiscard]] report::MachineResult this_machine();

/// Everything that is known before the first exit.
[[nodiscard]] report::RunResult begin_result(const scenario::Scenario& scenario, const Nodes& nodes,
                                             const std::vector<Evaluation>& evaluations);

/// Adds to an exit what the receipts and the survivors' scores before and after it say.
void complete(report::ExitResult& exit, const std::vector<Evaluation>& before,
              const std::vector<Evaluation>& after);

/// `sent` counts at all nodes together, by message kind; `handshake_bytes` where they were counted.
[[nodiscard]] report::TrafficResult traffic_of(std::span<const network::TrafficCount> sent,
                                               std::optional<std::uint64_t> handshake_bytes,
                                               std::uint64_t raw_seed_bytes);

/// Writes result.json and report.html. @return one line that names the file.
[[nodiscard]] tl::expected<void, std::string> write_result(const std::filesystem::path& folder,
                                                           const report::RunResult& result,
                                                           const topologies::Graph& graph);

}  // namespace unlearn::sim::run
