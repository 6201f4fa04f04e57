#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "node/network/traffic.hpp"
#include "sim/report/run_result.hpp"
#include "sim/result.hpp"
#include "sim/run/nodes.hpp"
#include "sim/scenario/scenario.hpp"

/// Makes the result of a run from what it measured.
namespace unlearn::sim::run {

/// Describes the machine that this runs on.
[[nodiscard]] report::MachineResult this_machine();

/// Returns a result with everything that is known before the first exit.
[[nodiscard]] report::RunResult begin_result(const scenario::Scenario& scenario, const Nodes& nodes,
                                             const std::vector<Evaluation>& evaluations);

/// Adds to an exit its number of receipts, its times, and the survivors' scores before and after it.
void complete(report::ExitResult& exit, const std::vector<Evaluation>& before,
              const std::vector<Evaluation>& after);

/// Computes the traffic. `sent` counts messages and bytes at all nodes together, by message kind.
/// `handshake_bytes` is given only where handshakes were counted.
[[nodiscard]] report::TrafficResult traffic_of(std::span<const network::TrafficCount> sent,
                                               std::optional<std::uint64_t> handshake_bytes,
                                               std::uint64_t raw_seed_bytes);

/// Writes result.json and report.html. @return an error of one line that names the file.
[[nodiscard]] Result<void> write_result(const std::filesystem::path& folder, const report::RunResult& result,
                                        const topologies::Graph& graph);

}  // namespace unlearn::sim::run
