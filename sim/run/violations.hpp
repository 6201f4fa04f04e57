#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "node/learning/distillation.hpp"
#include "node/learning/ensemble/ensemble.hpp"
#include "node/learning/ensemble/held_seeds.hpp"
#include "node/learning/training.hpp"
#include "sim/result.hpp"
#include "sim/scenario/streams.hpp"

/// Deliberate violations of the exactness rule. Each is a mistake that is easily made. The counterfactual
/// check must catch every one, because a check that cannot fail proves nothing. They use only those parts of
/// a node that any other code can use.
namespace unlearn::sim::run {

/// A part of the exactness rule that a run breaks on purpose.
enum class Violation {
    none,
    distil_from_ensemble,        // the seed is distilled from the ensemble, and so from the peers' seeds
    keep_old_rho,                // rho is not chosen again when a seed goes
    fused_cache,                 // a running sum over the members, from which the leaver's part is subtracted
    shared_stream,               // all nodes draw from one random stream, one after the other
    features_from_private_data,  // the feature map is learned from what all nodes hold
};

/// Parses "none", "distil-from-ensemble", "keep-old-rho", "fused-cache", "shared-stream" or
/// "features-from-private-data".
[[nodiscard]] learning::Result<Violation> parse_violation(std::string_view text);
/// Returns the name that `parse_violation` reads.
[[nodiscard]] std::string to_text(Violation violation);

/// Returns the source of a scenario's random streams: NamedStreams for every violation but shared_stream. The
/// shared stream may be used from any thread, but its answers depend on the order of the requests.
[[nodiscard]] std::unique_ptr<scenario::StreamSource> stream_source(Violation violation,
                                                                    std::uint64_t scenario_seed);

/// Returns the rule by which an EnsembleHolder rebuilds: the honest one for every violation but keep_old_rho
/// and fused_cache. Each holder needs a rule of its own.
[[nodiscard]] std::unique_ptr<learning::RebuildRule> rebuild_rule(Violation violation);

/// Distils a seed as distil() never may: from an ensemble, and so from the peers' data. The reference set,
/// labelled by the ensemble, stands in for the node's own data. `features` is the network's map, if any.
[[nodiscard]] learning::Result<learning::Seed> distil_from_ensemble(
    const learning::Ensemble& teacher, const learning::ReferenceSet& reference,
    const learning::Architecture& seed_architecture, const learning::DistilOptions& options,
    at::Generator generator, const learning::FeatureMap* features);

}  // namespace unlearn::sim::run
