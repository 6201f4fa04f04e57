#pragma once

#include <cstdint>
#include <span>

#include "node/learning/aggregation/voter.hpp"

namespace unlearn::learning {

/// How far a voter can be trusted. This is measured from its own votes alone, on those of its holder's
/// validation rows whose class it knows.
struct Calibration {
    /// The number by which to divide its logits so that it is as sure as it is right (Guo et al., "On
    /// Calibration of Modern Neural Networks", ICML 2017), from 0.2 to 5. It is 1 if there are too few rows
    /// to tell.
    double temperature = 1.0;
    /// The geometric mean of the probability that it then gives to the right class among those it knows. It
    /// is 1 for a voter that is always right and sure, and 1/m for one that guesses among m classes.
    double likelihood = 1.0;
};

/// Calibrates a voter. `on_validation` holds its logits for the rows of `labels`; its temperature and weight
/// are ignored.
[[nodiscard]] Calibration calibrate(const Voter& on_validation, std::span<const std::int64_t> labels);

}  // namespace unlearn::learning
