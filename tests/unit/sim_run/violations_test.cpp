#include "sim/run/violations.hpp"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "tests/unit/learning/drop_world.hpp"

using namespace unlearn::learning;
using namespace unlearn::sim::run;
using namespace synthetic;

namespace {

DropComparison drop_under(Violation violation) {
    return drop_against_never_had(DropWorld(), {}, [violation] { return rebuild_rule(violation); });
}

}  // namespace

TEST_CASE("an honest rule is not caught") {
    const auto comparison = drop_under(Violation::none);
    CHECK(comparison.identical);
    CHECK_FALSE(comparison.vacuous);
}

TEST_CASE("keeping the old rho is caught") {
    CHECK_FALSE(drop_under(Violation::keep_old_rho).identical);
}

TEST_CASE("subtracting from a running sum is caught") {
    CHECK_FALSE(drop_under(Violation::fused_cache).identical);
}

TEST_CASE("a seed distilled from an ensemble changes when a peer is taken out") {
    const DropWorld world;
    const auto unlawful = [&](const std::vector<std::shared_ptr<const Member>>& members) {
        const auto ensemble = Ensemble::build(world.holder.own, members, {});
        return distil_from_ensemble(*ensemble, reference(), architecture("mlp:10"), quick_distilling(),
                                    make_generator(3), nullptr)
            ->payload();
    };
    const auto a = member(1, world.a, *world.holder.own);
    const auto b = member(2, world.b, *world.holder.own);
    CHECK(unlawful({a, b}) != unlawful({a}));
    CHECK(unlawful({a, b}) == unlawful({a, b}));
}

TEST_CASE(
    "with a shared stream one node's absence changes what the next one draws; named streams do not notice") {
    const auto draws_of_b = [](Violation violation, bool a_is_there) {
        const auto streams = stream_source(violation, 1);
        if (a_is_there) static_cast<void>(streams->seed("a", "main-model"));
        return streams->seed("b", "main-model");
    };
    CHECK(draws_of_b(Violation::none, true) == draws_of_b(Violation::none, false));
    CHECK(draws_of_b(Violation::shared_stream, true) != draws_of_b(Violation::shared_stream, false));
}

TEST_CASE("violations are named in text") {
    for (const char* name : {"none", "distil-from-ensemble", "keep-old-rho", "fused-cache", "shared-stream",
                             "features-from-private-data"}) {
        CHECK(to_text(*parse_violation(name)) == name);
    }
    CHECK_FALSE(parse_violation("honest"));
}
