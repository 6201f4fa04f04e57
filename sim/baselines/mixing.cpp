#include "sim/baselines/mixing.hpp"

#include <algorithm>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "topologies/measures.hpp"

namespace unlearn::sim::baselines {
namespace {

// The number of elements of each vector that are mixed at a time. It is constant, so that neither the number
// of nodes nor that of workers changes how vectorised code divides the work.
constexpr std::size_t kSlice = 512;

void add(const float* from, float weight, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        to[i] += weight * from[i];
}

void mix_slice(const std::vector<WeightedSum>& sums, const std::vector<float*>& vectors, std::size_t begin,
               std::size_t count, std::vector<float>& scratch) {
    scratch.assign(vectors.size() * kSlice, 0.0F);
    for (std::size_t i = 0; i < sums.size(); ++i)
        for (const auto& [from, weight] : sums[i])
            add(vectors[from] + begin, weight, scratch.data() + i * kSlice, count);
    for (std::size_t i = 0; i < vectors.size(); ++i)
        std::copy_n(scratch.data() + i * kSlice, count, vectors[i] + begin);
}

std::vector<float*> memory_of(const std::vector<at::Tensor>& vectors, std::int64_t length) {
    std::vector<float*> memory;
    for (const at::Tensor& vector : vectors) {
        UNLEARN_ASSERT(vector.is_contiguous() && vector.numel() == length);
        memory.push_back(vector.data_ptr<float>());
    }
    return memory;
}

template <typename Work>
Result<double> for_each_slice(std::int64_t length, Team& team, const Work& work) {
    const auto all = static_cast<std::size_t>(length);
    return team.for_each((all + kSlice - 1) / kSlice,
                         [&](std::size_t worker, std::size_t slice) -> std::optional<std::string> {
                             const std::size_t begin = slice * kSlice;
                             work(worker, begin, std::min(kSlice, all - begin));
                             return std::nullopt;
                         });
}

}  // namespace

std::vector<WeightedSum> mixing_weights(const topologies::Graph& graph) {
    std::vector<WeightedSum> sums;
    const auto rows = topologies::metropolis_hastings(graph);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        WeightedSum sum;
        for (const auto& [neighbour, weight] : rows[i].neighbours)
            sum.emplace_back(neighbour, static_cast<float>(weight));
        // The remaining weight can be below 0 by a rounding error.
        sum.emplace_back(i, static_cast<float>(std::max(0.0, rows[i].own)));
        std::sort(sum.begin(), sum.end());
        sums.push_back(std::move(sum));
    }
    return sums;
}

Result<double> mix(const std::vector<WeightedSum>& sums, const std::vector<at::Tensor>& vectors, Team& team) {
    UNLEARN_ASSERT(sums.size() == vectors.size() && !vectors.empty());
    const std::int64_t length = vectors[0].numel();
    const auto memory = memory_of(vectors, length);
    std::vector<std::vector<float>> scratch(team.size());
    return for_each_slice(length, team, [&](std::size_t worker, std::size_t begin, std::size_t count) {
        mix_slice(sums, memory, begin, count, scratch[worker]);
    });
}

Result<double> weighted_sum(const WeightedSum& sum, const std::vector<at::Tensor>& vectors,
                            const at::Tensor& target, Team& team) {
    const std::int64_t length = target.numel();
    const auto memory = memory_of(vectors, length);
    float* out = target.data_ptr<float>();
    return for_each_slice(length, team, [&](std::size_t, std::size_t begin, std::size_t count) {
        std::fill_n(out + begin, count, 0.0F);
        for (const auto& [from, weight] : sum)
            add(memory[from] + begin, weight, out + begin, count);
    });
}

}  // namespace unlearn::sim::baselines
