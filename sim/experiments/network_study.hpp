#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/experiments/learnt_network.hpp"
#include "sim/experiments/network_settings.hpp"
#include "sim/report/progress.hpp"
#include "sim/report/row.hpp"
#include "sim/result.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::experiments {

/// Lets the nodes of a scenario's graph meet, come, go and leave, all in virtual time. The engine is that of
/// unlearnd. So are seeds and ensembles if nodes learn, and storage if any node comes back (StudyWorld). The
/// same scenario, seed and settings always give the same rows.
///
/// Without `learnt` the nodes learn first. With it, what they learnt is taken from there (LearntNetwork says
/// which runs may share it). The scenario's exits, transport and timeouts are ignored.
///
/// Rows: topologies/experiments/results.md.
///
/// @return an error of one line that says what is wrong with the scenario, the data or the churn.
[[nodiscard]] Result<std::vector<report::Row>> run_network_study(
    const scenario::Scenario& scenario, const NetworkStudySettings& settings, report::Progress& progress,
    std::shared_ptr<const LearntNetwork> learnt = nullptr);

}  // namespace unlearn::sim::experiments
