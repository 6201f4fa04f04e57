#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/baselines/team.hpp"
#include "sim/result.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::baselines {

/// The vectors that make a new one, each with its weight.
using WeightedSum = std::vector<std::pair<std::size_t, float>>;

/// Returns the Metropolis-Hastings weights of every node (topologies::metropolis_hastings), including its
/// own, in the order of the nodes: w_ij = 1 / (1 + max(degree i, degree j)). They are nonnegative and
/// symmetric, so rows and columns sum to 1. Between unconnected parts of a graph all weights are 0.
[[nodiscard]] std::vector<WeightedSum> mixing_weights(const topologies::Graph& graph);

/// Replaces each vectors[i] by the sum that sums[i] describes, all at once. All vectors are [P] float32. The
/// result does not depend on the number of workers. A worker mixes one slice of all vectors at a time; this
/// needs no second copy of the vectors, and the slice stays in the worker's cache. @return CPU seconds.
[[nodiscard]] Result<double> mix(const std::vector<WeightedSum>& sums, const std::vector<at::Tensor>& vectors,
                                 Team& team);

/// Writes one such sum of `vectors` to `target`, which must not be one of them. The bits are the same as
/// those of mix(). @return CPU seconds.
[[nodiscard]] Result<double> weighted_sum(const WeightedSum& sum, const std::vector<at::Tensor>& vectors,
                                          const at::Tensor& target, Team& team);

}  // namespace unlearn::sim::baselines
