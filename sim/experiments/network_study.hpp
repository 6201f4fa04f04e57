#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "sim/experiments/learnt_network.hpp"
#include "sim/experiments/network_settings.hpp"
#include "sim/report/progress.hpp"
#include "sim/report/row.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::experiments {

/// Lets the nodes of a scenario's graph meet, come, go and leave, all in virtual time. The engine is that of
/// unlearnd; so are seeds and ensembles where nodes learn, and storage where anybody comes back (StudyWorld).
/// Every run of a scenario, its seed and settings gives the same rows.
///
/// Without `learnt` the nodes learn first; with it, what they learnt is taken from there (LearntNetwork says
/// what may share it). The scenario's exits, transport and timeouts are not looked at.
///
/// Rows: topologies/experiments/results.md.
///
/// @return one line that says what is wrong with the scenario, the data or the churn.
[[nodiscard]] tl::expected<std::vector<report::Row>, std::string> run_network_study(
    const scenario::Scenario& scenario, const NetworkStudySettings& settings, report::Progress& progress,
    std::shared_ptr<const LearntNetwork> learnt = nullptr);

}  // namespace unlearn::sim::experiments
