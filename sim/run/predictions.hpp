#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "sim/run/world.hpp"

namespace unlearn::sim::run {

/// Writes the predictions of all evaluated nodes: predictions.json (names, rows, classes) and predictions.f32
/// (float32 as in memory; for each node the own prior's rows, then the uniform prior's).
[[nodiscard]] tl::expected<void, std::string> write_predictions(const std::filesystem::path& folder,
                                                                const std::vector<Evaluation>& evaluations);

/// The same nodes' predictions in two worlds, compared bit for bit.
struct Comparison {
    std::size_t nodes = 0;
    std::size_t predictions = 0;  ///< rows compared: nodes x test examples x 2 priors
    std::size_t differing = 0;    ///< rows of which any bit differs
};

/// Compares `evaluations` with what `write_predictions` wrote in `folder`. @return one line when files are
/// missing, damaged, or of other nodes.
[[nodiscard]] tl::expected<Comparison, std::string> compare_predictions(
    const std::filesystem::path& folder, const std::vector<Evaluation>& evaluations);

/// Whether every bit of both evaluations' predictions is equal.
[[nodiscard]] bool same_predictions(const Evaluation& a, const Evaluation& b);

}  // namespace unlearn::sim::run
