#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "node/learning/dataset.hpp"
#include "sim/report/run_result.hpp"
#include "sim/run/exchange.hpp"
#include "sim/run/prepare.hpp"

/// The nodes of a run as the run sees them, in this process or in others, and what is learnt about them.
namespace unlearn::sim::run {

/// One node, scored. The predictions are the ensemble's probabilities for the whole test set, [T, classes]
/// float32.
struct Evaluation {
    std::string name;
    report::Accuracy scores;
    double rho = 0.0;
    at::Tensor own_prior;
    at::Tensor uniform_prior;

    /// Sets `scores` from both predictions and those of the main model, [T, classes].
    void score(const at::Tensor& main, const learning::Dataset& test, const learning::Dataset& own_examples);
};

/// An exit as its leaver knows it: who held its seed, who signed and when.
struct ExitOutcome {
    report::ExitResult result;  ///< without the survivors' scores
    nlohmann::json certificate;
};

/// Everything about the nodes but the sizes of their models and their scores.
[[nodiscard]] std::vector<report::NodeResult> facts_of(const Setup& setup);

/// What a run asks of its nodes once every seed has reached every neighbour. Every error is one line.
class Nodes {
  public:
    virtual ~Nodes() = default;

    /// Scores every node that has not exited.
    [[nodiscard]] virtual tl::expected<std::vector<Evaluation>, std::string> evaluate() = 0;
    [[nodiscard]] virtual tl::expected<ExitOutcome, std::string> exit(const std::string& name) = 0;
    [[nodiscard]] virtual std::vector<report::NodeResult> facts() const = 0;
    /// The seeds that arrived and are not used, as it was when the exchange ended.
    [[nodiscard]] virtual const std::vector<report::AsideResult>& held_aside() const = 0;
};

}  // namespace unlearn::sim::run
