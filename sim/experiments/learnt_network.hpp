#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "node/learning/ensemble.hpp"
#include "node/learning/own_part.hpp"
#include "protocol/digest.hpp"
#include "sim/experiments/known_logits.hpp"
#include "sim/report/progress.hpp"
#include "sim/run/nodes.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::experiments {

/// What one node learnt by itself, and what its models say about the test set.
struct LearntNode {
    std::string name;
    protocol::NodeId id;
    std::shared_ptr<const learning::OwnPart> own;
    std::string seed_architecture;
    std::vector<std::uint8_t> seed_payload;  ///< what its peers are sent
    std::vector<float> main_logits;          ///< [T, classes], row-major
    std::vector<float> seed_logits;          ///< the same of its seed
    double main_own = 0.0;                   ///< accuracy of the main model on its own distribution
    double main_full = 0.0;                  ///< and on the whole test set
};

/// Every node of a scenario, trained and distilled, before it meets anybody. It does not depend on who is
/// linked to whom, on churn or on the network, so that all runs with the same names, data, models and seed
/// can share it. Immutable.
class LearntNetwork {
  public:
    /// Loads the data, trains and distils. @return one line.
    [[nodiscard]] static tl::expected<std::shared_ptr<const LearntNetwork>, std::string> learn(
        const scenario::Scenario& scenario, report::Progress& progress);

    /// In the order of the scenario's graph.
    [[nodiscard]] const std::vector<LearntNode>& nodes() const { return nodes_; }
    [[nodiscard]] const protocol::NetworkId& id() const { return id_; }
    [[nodiscard]] const learning::Dataset& test() const { return test_; }

    /// How well the node at this place predicts with the members of `ensemble`, a snapshot of its own. The
    /// same, to the bit, as asking the snapshot about the whole test set, but that what each model says is
    /// looked up: a seed says the same wherever it is held. Every member's owner must be a node of this
    /// network. Any thread.
    [[nodiscard]] report::Accuracy score(std::size_t node, const learning::Ensemble& ensemble) const;
    /// The probabilities behind it.
    [[nodiscard]] Answers answers(std::size_t node, const learning::Ensemble& ensemble) const;

  private:
    LearntNetwork(protocol::NetworkId id, learning::Dataset test, std::vector<LearntNode> nodes);

    protocol::NetworkId id_;
    learning::Dataset test_;
    std::vector<LearntNode> nodes_;
    SeedLogits seed_logits_;  ///< of nodes_
};

}  // namespace unlearn::sim::experiments
