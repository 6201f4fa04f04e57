#include <doctest/doctest.h>
#include <torch/torch.h>

#include "tests/unit/learning/drop_world.hpp"

using namespace unlearn::learning;
using namespace synthetic;

TEST_CASE("an ensemble that dropped a seed equals, bit for bit, one that never had it") {
    const DropWorld world;
    for (const auto& traits : kAggregations) {
        CAPTURE(traits.name);
        const auto aggregation = *parse_aggregation(traits.name);
        EnsembleOptions options;
        options.aggregation = aggregation;
        for (const bool calibrated : {false, true}) {
            for (const bool weighted : {false, true}) {
                options.calibrated = calibrated;
                options.weighted = weighted;
                const auto comparison = drop_against_never_had(world, options);
                CHECK(comparison.identical);
                CHECK_FALSE(comparison.vacuous);
            }
        }
    }
}

TEST_CASE("a seed is distilled from the main model alone: the same again, whatever the node holds") {
    const DropWorld world;
    const auto honest = [&] {
        return distil(world.holder.own->main(), reference(), architecture("mlp:10"), quick_distilling(),
                      make_generator(3))
            ->payload();
    };
    CHECK(honest() == honest());
}
