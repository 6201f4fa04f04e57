#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "sim/experiments/studies.hpp"

namespace unlearn::sim {

/// HDUS, D-PSGD and FedAvg on the same data and graph; then the scenario's first exit must be forgotten in
/// each. HDUS runs over real sockets. In the others every survivor's parameters hold what the leaver taught:
/// they are trained again until the survivors' mean accuracy is `target` of what it was, from the start
/// ("retrain") or from the latest states that the leaver's data had not reached ("roll back").
///
/// Rows; accuracies are means over the survivors, except before the exit, where they are over all nodes:
///   accuracy      `method` "main alone", "HDUS", "D-PSGD", "FedAvg"; `scope` "own" or "full"; `way`
///   "before", and after
///                 the exit "drop", "retrain" or "roll back"
///   seconds       until forgotten, by `method` and `way`: for HDUS from the command to the last durable
///   receipt, over
///                 real sockets; for the others the CPU time of training divided by the threads, without any
///                 network
///   cpu_seconds   the same in CPU time; HDUS by `step`: "drop" (the holders take the seed out of use),
///   "wipe" (its
///                 memory), "new mixture" (the next snapshot with its rho)
///   bytes         that cross the wire for it
///   rounds        of training
///   reached       1 when the target was reached, else 0
///   disagreement  the part of test predictions in which the survivors differ from a network that never had
///   the leaver:
///                 for HDUS another world, for the others what "retrain" made. `way` "nothing" is who goes on
///                 as before
///   total_variation  the same as a distance of probabilities
///   times_dearer  CPU time of "retrain" over that of all holders' "drop"
[[nodiscard]] tl::expected<std::unique_ptr<Study>, std::string> make_comparison_study(
    const ExperimentRun& first, Progress& progress);

}  // namespace unlearn::sim
