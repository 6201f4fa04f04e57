#pragma once

#include <functional>
#include <memory>

#include "node/learning/ensemble/held_seeds.hpp"
#include "tests/unit/learning/synthetic.hpp"

namespace synthetic {

// A holder, and three peers that each lack a class.
struct DropWorld {
    Node holder = make_node(1);
    Node a = make_node(2, {0, 1, 2});
    Node b = make_node(3, {1, 2, 3});
    Node c = make_node(4, {0, 1, 3});
};

// A holder that had a, b and c and dropped b, against one that only ever had a and c. Also says whether b
// mattered.
struct DropComparison {
    bool identical = true;
    bool vacuous = true;
};

using MakeRule = std::function<std::unique_ptr<unlearn::learning::RebuildRule>()>;

DropComparison drop_against_never_had(const DropWorld& world,
                                      const unlearn::learning::EnsembleOptions& options,
                                      const MakeRule& make_rule = unlearn::learning::honest_rebuild_rule);

}  // namespace synthetic
