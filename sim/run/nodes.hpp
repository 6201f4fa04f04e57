#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "node/learning/dataset.hpp"
#include "sim/run/exchange.hpp"
#include "sim/run/prepare.hpp"

/// The nodes of a run as the run sees them, in this process or in others, and what is learnt about them.
namespace unlearn::sim::run {

/// Accuracy of the main model alone and of the ensemble, from 0 to 1; NaN for what was not measured.
struct Score {
    double main = 0.0;
    double ensemble = 0.0;
};

/// `own`: the test set weighted by the node's own label distribution, ensemble asked with the own prior.
/// `full`: the whole test set, ensemble asked with the uniform prior.
struct NodeScores {
    Score own;
    Score full;
};

/// One node, scored. The predictions are the ensemble's probabilities for the whole test set, [T, classes]
/// float32.
struct Evaluation {
    std::string name;
    NodeScores scores;
    double rho = 0.0;
    at::Tensor own_prior;
    at::Tensor uniform_prior;

    /// Sets `scores` from both predictions and those of the main model, [T, classes].
    void score(const at::Tensor& main, const learning::Dataset& test, const learning::Dataset& own_examples);
};

struct ExitOutcome {
    std::string node;
    std::vector<std::string> holders;  ///< on record as having been served
    std::vector<std::string> missing;  ///< holders without a receipt in time
    /// What is known about why a holder is missing.
    std::map<std::string, std::string> why_missing = {};
    std::vector<std::pair<std::string, double>>
        milliseconds;  ///< per holder, exit command to durable receipt
    nlohmann::json certificate;
};

struct NodeFacts {
    std::string name;
    std::string id;
    std::vector<std::string> neighbours;
    std::string main_architecture;
    std::string seed_architecture;
    std::int64_t main_parameters = 0;
    std::int64_t seed_parameters = 0;
    std::int64_t training_images = 0;
    std::vector<std::string> missing_classes;
};

/// Everything about the nodes but the sizes of their models.
[[nodiscard]] std::vector<NodeFacts> facts_of(const Setup& setup);

/// What a run asks of its nodes once every seed has reached every neighbour. Every error is one line.
class Nodes {
  public:
    virtual ~Nodes() = default;

    /// Scores every node that has not exited.
    [[nodiscard]] virtual tl::expected<std::vector<Evaluation>, std::string> evaluate() = 0;
    [[nodiscard]] virtual tl::expected<ExitOutcome, std::string> exit(const std::string& name) = 0;
    [[nodiscard]] virtual std::vector<NodeFacts> facts() const = 0;
    /// The seeds that arrived and are not used, as it was when the exchange ended.
    [[nodiscard]] virtual const std::vector<AsideSeed>& held_aside() const = 0;
};

}  // namespace unlearn::sim::run
