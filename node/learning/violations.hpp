#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "node/learning/data/random.hpp"
#include "node/learning/distillation.hpp"
#include "node/learning/ensemble.hpp"
#include "node/learning/held_seeds.hpp"

// Deliberate breaches of the exactness rule, each a mistake that is easily made. The counterfactual check
// must catch every one; a check that cannot fail proves nothing. Nothing outside this header and its source
// lets an honest node behave like this.
namespace unlearn::learning::violations {

enum class Violation {
    none,
    distil_from_ensemble,  // the seed learns from what the peers' seeds say
    keep_old_rho,          // the mixing weight is not chosen again when a seed goes
    fused_cache,           // a running sum over the members, from which the leaver is subtracted
    shared_stream,         // all nodes draw from one random stream, one after the other
};

// "none", "distil-from-ensemble", "keep-old-rho", "fused-cache", "shared-stream".
[[nodiscard]] Result<Violation> parse_violation(std::string_view text);
[[nodiscard]] std::string to_text(Violation violation);

// Where a scenario gets its random streams from under this violation: NamedStreams for all but shared_stream.
// The shared one may be asked by any thread, but answers in the order in which it is asked.
[[nodiscard]] std::unique_ptr<StreamSource> stream_source(Violation violation, std::uint64_t scenario_seed);

// How an EnsembleHolder rebuilds under this violation: honestly for all but keep_old_rho and fused_cache. One
// rule belongs to one holder.
[[nodiscard]] std::unique_ptr<RebuildRule> rebuild_rule(Violation violation);

// What distil() must never be: a seed whose teacher is an ensemble, and so the peers' data.
class EnsembleDistiller {
  public:
    [[nodiscard]] static Result<Seed> distil(const Ensemble& teacher, const ReferenceSet& reference,
                                             const Architecture& seed_architecture,
                                             const DistilOptions& options, at::Generator generator);
};

}  // namespace unlearn::learning::violations
