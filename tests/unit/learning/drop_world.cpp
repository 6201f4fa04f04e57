#include "tests/unit/learning/drop_world.hpp"

#include <chrono>
#include <vector>

#include <torch/torch.h>

namespace synthetic {

using namespace unlearn::learning;

namespace {

const at::Tensor& inputs() {
    static const at::Tensor all = Dataset::from_table(points(200, 8)).inputs().rows();
    return all;
}

}  // namespace

DropComparison drop_against_never_had(const DropWorld& world, const EnsembleOptions& options,
                                      const MakeRule& make_rule) {
    EnsembleHolder dropped(world.holder.own, options, make_rule());
    EnsembleHolder never(world.holder.own, options, make_rule());
    for (const std::uint8_t i : {3, 1, 2}) {
        const Node& node = i == 1 ? world.a : i == 2 ? world.b : world.c;
        dropped.install(member(i, node, *world.holder.own));
        if (i != 2) never.install(member(i, node, *world.holder.own));
    }
    DropComparison comparison;
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

}  // namespace synthetic
