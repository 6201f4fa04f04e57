#include "sim/run/violations.hpp"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/held_seeds.hpp"
#include "tests/unit/learning/synthetic.hpp"

using namespace unlearn::learning;
using namespace unlearn::sim::run;
using namespace synthetic;

namespace {

const at::Tensor& inputs() {
    static const at::Tensor all = Dataset::from_table(points(200, 8)).inputs();
    return all;
}

struct World {
    Node holder = make_node(1);
    Node a = make_node(2, {0, 1, 2});
    Node b = make_node(3, {1, 2, 3});
    Node c = make_node(4, {0, 1, 3});
};

// A holder that had a, b and c and dropped b, against one that only ever had a and c. Also says whether b
// mattered.
struct Dropped {
    bool identical = true;
    bool vacuous = true;
};

Dropped drop_against_never_had(const World& world, const EnsembleOptions& options, Violation violation) {
    EnsembleHolder dropped(world.holder.own, options, rebuild_rule(violation));
    EnsembleHolder never(world.holder.own, options, rebuild_rule(violation));
    for (const std::uint8_t i : {3, 1, 2}) {
        const Node& node = i == 1 ? world.a : i == 2 ? world.b : world.c;
        dropped.install(member(i, node, *world.holder.own));
        if (i != 2) never.install(member(i, node, *world.holder.own));
    }
    Dropped comparison;
    std::vector<at::Tensor> before;
    for (const Prior prior : kPriors) {
        before.push_back(dropped.predict(inputs(), prior)->probabilities);
    }
    dropped.forget(id(2), std::chrono::milliseconds(5));
    for (const Prior prior : kPriors) {
        const auto after = dropped.predict(inputs(), prior)->probabilities;
        if (!same_bits(after, never.predict(inputs(), prior)->probabilities)) comparison.identical = false;
        if (!same_bits(after, before[prior == Prior::own ? 0 : 1])) comparison.vacuous = false;
    }
    return comparison;
}

}  // namespace

TEST_CASE("an honest rule is not caught") {
    const auto comparison = drop_against_never_had(World(), {}, Violation::none);
    CHECK(comparison.identical);
    CHECK_FALSE(comparison.vacuous);
}

TEST_CASE("keeping the old rho is caught") {
    CHECK_FALSE(drop_against_never_had(World(), {}, Violation::keep_old_rho).identical);
}

TEST_CASE("subtracting from a running sum is caught") {
    CHECK_FALSE(drop_against_never_had(World(), {}, Violation::fused_cache).identical);
}

TEST_CASE("a seed distilled from an ensemble changes when a peer is taken out") {
    const World world;
    const auto unlawful = [&](const std::vector<std::shared_ptr<const Member>>& members) {
        const auto ensemble = Ensemble::build(world.holder.own, members, {});
        return distil_from_ensemble(*ensemble, reference(), architecture("mlp:10"), quick_distilling(),
                                    make_generator(3))
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
    for (const char* name :
         {"none", "distil-from-ensemble", "keep-old-rho", "fused-cache", "shared-stream"}) {
        CHECK(to_text(*parse_violation(name)) == name);
    }
    CHECK_FALSE(parse_violation("honest"));
}
