#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node/learning/ensemble/ensemble.hpp"
#include "node/learning/ensemble/own_part.hpp"
#include "protocol/digest.hpp"
#include "sim/experiments/known_logits.hpp"
#include "sim/report/progress.hpp"
#include "sim/result.hpp"
#include "sim/run/nodes.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::experiments {

/// What one node learnt by itself, and its models' answers for the test set.
struct LearntNode {
    std::string name;
    protocol::NodeId id;
    std::shared_ptr<const learning::OwnPart> own;
    std::string seed_architecture;
    std::vector<std::uint8_t> seed_payload;  ///< the payload that its peers get
    std::vector<float> main_logits;          ///< [T, classes], row-major
    std::vector<float> seed_logits;          ///< the same, of its seed
    double main_own = 0.0;                   ///< accuracy of the main model on its own distribution
    double main_full = 0.0;                  ///< accuracy of the main model on the whole test set
};

/// All nodes of a scenario after training and distillation, before they meet a peer. What they learnt does
/// not depend on links, churn or the network, so all runs with the same names, data, models and seed can
/// share it. Immutable.
class LearntNetwork {
  public:
    /// Loads the data, trains and distils. @return an error of one line.
    [[nodiscard]] static Result<std::shared_ptr<const LearntNetwork>> learn(
        const scenario::Scenario& scenario, report::Progress& progress);

    /// The nodes in the order of the scenario's graph.
    [[nodiscard]] const std::vector<LearntNode>& nodes() const { return nodes_; }
    [[nodiscard]] const protocol::NetworkId& id() const { return id_; }
    [[nodiscard]] const learning::Dataset& test() const { return test_; }

    /// Returns how well the node at this position predicts with the members of `ensemble`, one of its own
    /// snapshots. The result is the same, to the bit, as that of asking the snapshot about the whole test
    /// set, but the models' answers are looked up: a seed gives the same answers wherever it is held. Every
    /// member's owner must be a node of this network. May be called from any thread.
    [[nodiscard]] report::Accuracy score(std::size_t node, const learning::Ensemble& ensemble) const;
    /// Returns the probabilities that `score` is computed from.
    [[nodiscard]] Answers answers(std::size_t node, const learning::Ensemble& ensemble) const;

  private:
    LearntNetwork(protocol::NetworkId id, learning::Dataset test, std::vector<LearntNode> nodes);

    protocol::NetworkId id_;
    learning::Dataset test_;
    std::vector<LearntNode> nodes_;
    SeedLogits seed_logits_;  ///< views of the logits in nodes_
};

}  // namespace unlearn::sim::experiments
