#include "node/learning/accuracy.hpp"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"

namespace unlearn::learning {
namespace {

struct Tally {
    double right = 0.0;
    double all = 0.0;
};

std::vector<Tally> tally_by_class(const at::Tensor& scores, const Dataset& test) {
    UNLEARN_ASSERT(scores.size(0) == test.size());
    const at::Tensor answers = scores.argmax(1).contiguous();
    const auto* answer = answers.data_ptr<std::int64_t>();
    const auto* label = test.labels().data_ptr<std::int64_t>();
    std::vector<Tally> tallies(static_cast<std::size_t>(test.classes()));
    for (std::int64_t i = 0; i < test.size(); ++i) {
        Tally& tally = tallies[static_cast<std::size_t>(label[i])];
        tally.all += 1.0;
        if (answer[i] == label[i]) tally.right += 1.0;
    }
    return tallies;
}

}  // namespace

std::vector<std::int64_t> likeliest_classes(std::span<const float> scores, std::size_t classes) {
    UNLEARN_ASSERT(classes > 0 && scores.size() % classes == 0);
    std::vector<std::int64_t> out;
    for (auto row = scores.begin(); row != scores.end(); row += static_cast<std::ptrdiff_t>(classes))
        out.push_back(std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row);
    return out;
}

double full_accuracy(const at::Tensor& scores, const Dataset& test) {
    Tally total;
    for (const Tally& tally : tally_by_class(scores, test)) {
        total.right += tally.right;
        total.all += tally.all;
    }
    return total.all > 0.0 ? total.right / total.all : 0.0;
}

double own_accuracy(const at::Tensor& scores, const Dataset& test, std::span<const double> own_distribution) {
    const auto tallies = tally_by_class(scores, test);
    UNLEARN_ASSERT(tallies.size() == own_distribution.size());
    Tally total;
    for (std::size_t c = 0; c < tallies.size(); ++c) {
        if (tallies[c].all == 0.0) continue;
        total.right += own_distribution[c] * tallies[c].right / tallies[c].all;
        total.all += own_distribution[c];
    }
    return total.all > 0.0 ? total.right / total.all : 0.0;
}

}  // namespace unlearn::learning
