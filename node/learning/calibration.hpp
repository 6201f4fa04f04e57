#pragma once

#include <cstdint>
#include <span>

#include "node/learning/aggregation.hpp"

namespace unlearn::learning {

// How far a voter can be believed, by what it alone says about its holder's validation rows of classes that
// it knows.
struct Calibration {
    // What its logits are to be divided by so that it is as sure as it is right (Guo et al., "On Calibration
    // of Modern Neural Networks", ICML 2017), from 0.2 to 5. 1 where too few rows could tell.
    double temperature = 1.0;
    // The geometric mean of the probability that it then gives to the right class among those it knows: 1 for
    // one that is always right and sure, 1/m for one that guesses among m classes.
    double likelihood = 1.0;
};

// `on_validation` is the voter on the rows of `labels`; its own temperature and weight are not looked at.
[[nodiscard]] Calibration calibrate(const Voter& on_validation, std::span<const std::int64_t> labels);

}  // namespace unlearn::learning
