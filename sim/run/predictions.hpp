#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/result.hpp"
#include "sim/run/world.hpp"

namespace unlearn::sim::run {

/// Writes the predictions of all evaluated nodes: predictions.json (names, rows, classes) and predictions.f32
/// (float32 as in memory: for each node the rows under its own prior, then those under the uniform prior).
[[nodiscard]] Result<void> write_predictions(const std::filesystem::path& folder,
                                             const std::vector<Evaluation>& evaluations);

/// The result of comparing the same nodes' predictions in two worlds, bit for bit.
struct Comparison {
    std::size_t nodes = 0;
    std::size_t predictions = 0;  ///< rows compared: nodes x test examples x 2 priors
    std::size_t differing = 0;    ///< rows in which any bit differs
};

/// Compares `evaluations` with what `write_predictions` wrote to `folder`. @return an error of one line when
/// files are missing or damaged, or belong to other nodes.
[[nodiscard]] Result<Comparison> compare_predictions(const std::filesystem::path& folder,
                                                     const std::vector<Evaluation>& evaluations);

/// Returns whether all bits of the predictions are equal.
[[nodiscard]] bool same_predictions(const Evaluation& a, const Evaluation& b);

}  // namespace unlearn::sim::run
