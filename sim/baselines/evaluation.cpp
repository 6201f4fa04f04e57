#include "sim/baselines/evaluation.hpp"

#include <ATen/ATen.h>

#include "node/learning/accuracy.hpp"
#include "node/learning/data/assert.hpp"

namespace unlearn::sim::baselines {

double Evaluation::operator()(const std::string& name, const at::Tensor& logits) const {
    return score ? score(name, logits) : learning::full_accuracy(logits, test);
}

Distance distance_between(const at::Tensor& probabilities, const at::Tensor& others) {
    UNLEARN_ASSERT(probabilities.dim() == 2 && probabilities.sizes() == others.sizes());
    UNLEARN_ASSERT(probabilities.numel() > 0);
    const auto apart = (probabilities.to(at::kDouble) - others.to(at::kDouble)).abs().sum(1).mean();
    const auto other_label = probabilities.argmax(1).ne(others.argmax(1)).to(at::kDouble).mean();
    return {0.5 * apart.item<double>(), other_label.item<double>()};
}

}  // namespace unlearn::sim::baselines
