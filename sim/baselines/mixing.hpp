#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <tl/expected.hpp>

#include "sim/baselines/team.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::baselines {

/// Which vectors, and with what weight each, make a new one.
using WeightedSum = std::vector<std::pair<std::size_t, float>>;

/// The Metropolis-Hastings weights of every node (topologies::metropolis_hastings), its own among them, in
/// the order of the nodes: w_ij = 1 / (1 + max(degree i, degree j)). Nonnegative and symmetric, and so rows
/// and columns sum to 1; between unconnected parts of a graph all weights are 0.
[[nodiscard]] std::vector<WeightedSum> mixing_weights(const topologies::Graph& graph);

/// Replaces vectors[i] by the sum that sums[i] describes, for all i at once. All vectors are [P] float32; the
/// result does not depend on the number of workers. Needs no second copy of the vectors: a worker mixes one
/// slice of all of them at a time, which also lets that slice stay in its cache.
/// @return CPU seconds.
[[nodiscard]] tl::expected<double, std::string> mix(const std::vector<WeightedSum>& sums,
                                                    const std::vector<at::Tensor>& vectors, Team& team);

/// target = one such sum of `vectors`; `target` must not be one of them. The bits are those that mix() would
/// give.
/// @return CPU seconds.
[[nodiscard]] tl::expected<double, std::string> weighted_sum(const WeightedSum& sum,
                                                             const std::vector<at::Tensor>& vectors,
                                                             const at::Tensor& target, Team& team);

}  // namespace unlearn::sim::baselines
