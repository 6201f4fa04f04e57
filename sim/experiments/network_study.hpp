#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "sim/experiments/learnt_network.hpp"
#include "sim/experiments/network_settings.hpp"
#include "sim/experiments/row.hpp"
#include "sim/progress.hpp"
#include "sim/scenario.hpp"

namespace unlearn::sim {

/// Lets the nodes of a scenario's graph meet, come, go and leave, all in virtual time: engine, storage, seeds
/// and ensembles are those of unlearnd. Every run of a scenario, its seed and settings gives the same rows.
///
/// Without `learnt` the nodes learn first; with it, what they learnt is taken from there (LearntNetwork says
/// what may share it). The scenario's exits, transport and timeouts are not looked at.
///
/// Rows. Accuracies are parts of one; `scope` is "own" or "full", `method` "main" or "ensemble", as in
/// result.json. All accuracies are those of the seeds that a node's ensemble uses at that moment.
///
///   metric                labels                    what it is
///   spread_s                                        until every node had all its neighbours' seeds
///   unspread                                        seeds that were still missing when the study began
///   accuracy              scope method time_s       mean over all nodes that take part (up, not leaving)
///   node_accuracy         scope method node degree  when the study began; `degree` in the scenario's graph
///   nodes_up              time_s                    nodes that take part
///   seeds_in_use          time_s                    mean over them
///   held_aside            time_s                    seeds held, but judged harmful, all nodes together
///   blocked_nodes         time_s                    see patience_seconds
///   blocked_nodes_most                              the most at any sample
///   resurrections                                   pairs of a node and an owner whose seed it used although
///                                                   it knew of its exit; anything but 0 breaks the
///                                                   protocol's promise
///   churn_events          kind                      "join", "leave", "exit", "crash", "come-back"
///   bytes                 kind                      sent by all nodes, the spread included: "seed" (Get,
///                                                   Chunk), "exit" (Exit, Receipt), "handshake", "control"
///                                                   (all else); lost messages count, resent packets do not
/// Of each exit, with the labels leaver, degree and betweenness (the leaver's), times since the command:
///   time_to_forget_ms     node distance             a holder's ensemble is without the seed
///   time_to_erase_ms      node distance             a holder has erased it durably and signs its receipt
///   time_to_receipt_ms    node distance             the holder's receipt is stored at the leaver
///   time_to_learn_ms      node distance             any node knows of the exit, holder or not
///     (nodes that were up from the command on; `distance` in hops. Each also with _p50, _p99 and _max in
///     place of the node, by nearest rank)
///   holders                                         up at the command and, if not told, still so in the end
///   untold                                          nodes up from the command to the end that never learned,
///                                                   though a chain of nodes led to them in the end. Expect
///                                                   some after exits in the last seconds only
///   cut_off                                         the same without a chain: their neighbours are gone
///   recipients, receipts, missing                   as in the leaver's certificate at the end of its exit
///   residual_copies       time_ms state             nodes up that have the seed: "used" by the ensemble,
///                                                   "held" in memory or on disk as well
///   accuracy_lost         scope                     mean over former holders: ensemble before the command
///                                                   less ensemble right after they dropped the seed
///
/// @return one line that says what is wrong with the scenario, the data or the churn.
[[nodiscard]] tl::expected<std::vector<Row>, std::string> run_network_study(
    const Scenario& scenario, const NetworkStudySettings& settings, Progress& progress,
    std::shared_ptr<const LearntNetwork> learnt = nullptr);

}  // namespace unlearn::sim
