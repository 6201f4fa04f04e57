#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/experiments/study_world.hpp"
#include "sim/report/row.hpp"

namespace unlearn::sim::experiments {

/// Follows one exit from its command on: when each holder forgets, when each node learns of it, which copies
/// are left, and what it costs the holders. It must be made right before the command, and used by one thread.
class ExitWatch {
  public:
    /// Returns how well a node predicts at the moment, or nothing without learning.
    using Scorer = std::function<std::optional<report::Accuracy>(std::size_t node)>;

    /// `world` must outlive this. Distances and degree are those of `graph`.
    ExitWatch(const StudyWorld& world, const topologies::Graph& graph, std::size_t leaver,
              protocol::SteadyTime now, double betweenness, Scorer score);

    /// The times at which copies are to be counted, in milliseconds after the command.
    static constexpr std::array<int, 16> kCountAt{0,   1,   2,    5,    10,   20,    50,    100,
                                                  200, 500, 1000, 2000, 5000, 10000, 20000, 50000};
    void count_copies(int milliseconds);
    void on_event(std::size_t node, const protocol::Event& event, protocol::SteadyTime now);
    /// Must be called before a node goes down. When such a node learns of the exit later says nothing about
    /// the network.
    void goes_down(std::size_t node);
    /// Must be called at the end of the study.
    void finish();

    /// Adds the rows of this exit (topologies/experiments/results.md). With `of_every_node` these include
    /// rows with the label `node`.
    void add_rows(std::vector<report::Row>& rows, bool of_every_node) const;
    [[nodiscard]] const protocol::NodeId& leaver_id() const { return world_.id(leaver_); }

  private:
    using Times = std::map<std::size_t, double>;  ///< milliseconds since the command, by node

    [[nodiscard]] bool holds(std::size_t node) const;
    void take_receipts();
    void set_apart_cut_off();
    void learned(std::size_t node, double at);
    void add_times(std::vector<report::Row>& rows, const std::string& metric, const Times& times,
                   bool of_every_node) const;
    [[nodiscard]] std::map<std::string, report::Label> labels(
        std::map<std::string, report::Label> more = {}) const;

    const StudyWorld& world_;
    std::size_t leaver_;
    protocol::SteadyTime begun_;
    std::size_t degree_;
    double betweenness_;
    Scorer score_;
    std::vector<std::size_t> distance_;  ///< hops to the leaver
    std::set<std::size_t> holders_;      ///< holders that did not go down before they learned of it
    std::set<std::size_t> untold_;       ///< up since the command, and not yet told of the exit
    std::set<std::size_t> cut_off_;      ///< never told, because no path led to them
    std::set<std::size_t> erasing_;      ///< nodes where the seed is out of use but not yet erased durably
    std::map<std::size_t, report::Accuracy> before_;
    std::vector<report::Accuracy> lost_;  ///< the accuracy of each holder before, minus that after
    Times forgot_;
    Times erased_;
    Times answered_;
    Times learned_;
    struct Copies {
        int milliseconds = 0;
        std::size_t held = 0;
        std::size_t used = 0;
    };
    std::vector<Copies> copies_;
    std::optional<protocol::ExitProgress> outcome_;
};

}  // namespace unlearn::sim::experiments
