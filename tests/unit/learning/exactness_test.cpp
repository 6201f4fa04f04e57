#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/held_seeds.hpp"
#include "tests/unit/learning/synthetic.hpp"

using namespace unlearn::learning;
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
struct Comparison {
    bool identical = true;
    bool vacuous = true;
};

Comparison drop_against_never_had(const World& world, const EnsembleOptions& options) {
    EnsembleHolder dropped(world.holder.own, options);
    EnsembleHolder never(world.holder.own, options);
    for (const std::uint8_t i : {3, 1, 2}) {
        const Node& node = i == 1 ? world.a : i == 2 ? world.b : world.c;
        dropped.install(member(i, node, *world.holder.own));
        if (i != 2) never.install(member(i, node, *world.holder.own));
    }
    Comparison comparison;
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

TEST_CASE("an ensemble that dropped a seed equals, bit for bit, one that never had it") {
    const World world;
    for (const auto aggregation : {Aggregation::hdus, Aggregation::mean_probabilities,
                                   Aggregation::known_classes, Aggregation::median}) {
        CAPTURE(to_text(aggregation));
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
    const World world;
    const auto honest = [&] {
        return distil(world.holder.own->main(), reference(), architecture("mlp:10"), quick_distilling(),
                      make_generator(3))
            ->payload();
    };
    CHECK(honest() == honest());
}
