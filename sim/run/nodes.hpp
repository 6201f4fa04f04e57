#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "node/learning/dataset.hpp"
#include "sim/report/run_result.hpp"
#include "sim/result.hpp"
#include "sim/run/exchange.hpp"
#include "sim/run/prepare.hpp"

/// The nodes of a run, in this process or in others, and what is measured about them.
namespace unlearn::sim::run {

/// One evaluated node. The predictions are the ensemble's probabilities for the whole test set: [T, classes]
/// float32.
struct Evaluation {
    std::string name;
    report::Accuracy scores;
    double rho = 0.0;
    at::Tensor own_prior;
    at::Tensor uniform_prior;

    /// Sets `scores` from both predictions and from those of the main model, [T, classes].
    void score(const at::Tensor& main, const learning::Dataset& test, const learning::Dataset& own_examples);
};

/// An exit as its leaver knows it: who held its seed, and who sent a receipt when.
struct ExitOutcome {
    report::ExitResult result;  ///< does not include the survivors' scores
    nlohmann::json certificate;
};

/// Returns everything about the nodes except the sizes of their models and their scores.
[[nodiscard]] std::vector<report::NodeResult> facts_of(const Setup& setup);

/// The interface through which a run uses its nodes once every seed has reached every neighbour. Every error
/// is one line.
class Nodes {
  public:
    virtual ~Nodes() = default;

    /// Evaluates every node that has not exited.
    [[nodiscard]] virtual Result<std::vector<Evaluation>> evaluate() = 0;
    /// Lets a node leave for good, and waits for the receipts.
    [[nodiscard]] virtual Result<ExitOutcome> exit(const std::string& name) = 0;
    /// Returns everything about the nodes except their scores.
    [[nodiscard]] virtual std::vector<report::NodeResult> facts() const = 0;
    /// Returns the seeds that arrived but were not in use when the exchange ended.
    [[nodiscard]] virtual const std::vector<report::AsideResult>& held_aside() const = 0;
};

}  // namespace unlearn::sim::run
