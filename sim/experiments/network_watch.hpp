#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "sim/experiments/study_world.hpp"
#include "sim/report/row.hpp"

namespace unlearn::sim::experiments {

/// Samples all nodes of a world: how well they predict, whether any is blocked, and whether any uses the seed
/// of an owner whose exit it knows. Must be used by one thread. `workers` compute the scores.
class NetworkWatch {
  public:
    /// The world and the workers must outlive this. `learnt` is null without learning.
    NetworkWatch(const StudyWorld& world, std::shared_ptr<const LearntNetwork> learnt,
                 support::Workers& workers, protocol::SteadyTime patience);

    /// Returns how many seeds of neighbours that take part are missing at nodes that take part.
    [[nodiscard]] std::size_t missing_seeds() const;
    /// Adds all rows with a label `time_s`.
    void sample(double seconds, std::vector<report::Row>& rows);
    /// Adds the current accuracies of every node.
    void add_node_rows(std::vector<report::Row>& rows);
    /// Returns how well a node that is up predicts at the moment, or nothing without learning.
    [[nodiscard]] std::optional<report::Accuracy> score(std::size_t node);
    void on_event(std::size_t node, const protocol::Event& event);
    /// Adds the rows that summarise the whole study.
    void add_rows(std::vector<report::Row>& rows);

  private:
    struct Known {
        std::vector<learning::Participant> participants;
        report::Accuracy scores;
    };

    [[nodiscard]] std::vector<std::size_t> taking_part() const;
    [[nodiscard]] std::vector<report::Accuracy> scores_of(std::span<const std::size_t> nodes);
    void add_accuracy(double seconds, std::span<const std::size_t> nodes, std::vector<report::Row>& rows);
    [[nodiscard]] std::size_t missing_at(std::size_t node, protocol::SteadyTime up_before) const;
    [[nodiscard]] bool is_blocked(std::size_t node) const;
    [[nodiscard]] bool can_predict(std::size_t node) const;
    void look_for_resurrections();
    void add_bytes(std::vector<report::Row>& rows) const;

    const StudyWorld& world_;
    std::shared_ptr<const LearntNetwork> learnt_;
    support::Workers& workers_;
    protocol::SteadyTime patience_;
    /// The last scores of each node, and the participants for which they hold. They are computed once for a
    /// set of seeds.
    std::vector<std::optional<Known>> known_;
    std::size_t most_blocked_ = 0;
    std::set<std::pair<std::size_t, protocol::NodeId>> resurrected_;
};

/// Returns those owners in `exited` whose seeds a node still uses. `exited` are the owners whose exits the
/// node knows.
[[nodiscard]] std::vector<protocol::NodeId> resurrected(
    std::span<const protocol::NodeId> exited, const std::function<bool(const protocol::NodeId&)>& uses);

}  // namespace unlearn::sim::experiments
