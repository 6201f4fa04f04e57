#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "node/learning/distillation.hpp"
#include "node/learning/ensemble.hpp"
#include "node/learning/held_seeds.hpp"
#include "node/learning/training.hpp"
#include "sim/scenario/streams.hpp"

/// Deliberate breaches of the exactness rule, each a mistake that is easily made. The counterfactual check
/// must catch every one; a check that cannot fail proves nothing. They use nothing of a node that other code
/// cannot use.
namespace unlearn::sim::run {

enum class Violation {
    none,
    distil_from_ensemble,  // the seed learns from what the peers' seeds say
    keep_old_rho,          // the mixing weight is not chosen again when a seed goes
    fused_cache,           // a running sum over the members, from which the leaver is subtracted
    shared_stream,         // all nodes draw from one random stream, one after the other
};

/// "none", "distil-from-ensemble", "keep-old-rho", "fused-cache", "shared-stream".
[[nodiscard]] learning::Result<Violation> parse_violation(std::string_view text);
[[nodiscard]] std::string to_text(Violation violation);

/// Where a scenario gets its random streams from under this violation: NamedStreams for all but
/// shared_stream. The shared one may be asked by any thread, but answers in the order in which it is asked.
[[nodiscard]] std::unique_ptr<scenario::StreamSource> stream_source(Violation violation,
                                                                    std::uint64_t scenario_seed);

/// How an EnsembleHolder rebuilds under this violation: honestly for all but keep_old_rho and fused_cache.
/// One rule belongs to one holder.
[[nodiscard]] std::unique_ptr<learning::RebuildRule> rebuild_rule(Violation violation);

/// What distil() must never be: a seed that learns from an ensemble, and so from the peers' data. The
/// reference set, labelled by the ensemble, passes for the node's own data.
[[nodiscard]] learning::Result<learning::Seed> distil_from_ensemble(
    const learning::Ensemble& teacher, const learning::ReferenceSet& reference,
    const learning::Architecture& seed_architecture, const learning::DistilOptions& options,
    at::Generator generator);

}  // namespace unlearn::sim::run
