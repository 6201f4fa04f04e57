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

/// Follows one exit from its command on: who forgets when, who learns of it when, what copies are left, and
/// what it costs the holders. Made right before the command. One thread.
class ExitWatch {
  public:
    /// How well a node predicts just now; nothing without learning.
    using Scorer = std::function<std::optional<report::Accuracy>(std::size_t node)>;

    /// `world` must outlive this. Distances, degree and betweenness are those of `graph`.
    ExitWatch(const StudyWorld& world, const topologies::Graph& graph, std::size_t leaver,
              protocol::SteadyTime now, double betweenness, Scorer score);

    /// Milliseconds after the command at which copies are to be counted.
    static constexpr std::array<int, 16> kCountAt{0,   1,   2,    5,    10,   20,    50,    100,
                                                  200, 500, 1000, 2000, 5000, 10000, 20000, 50000};
    void count_copies(int milliseconds);
    void on_event(std::size_t node, const protocol::Event& event, protocol::SteadyTime now);
    /// The node is going down: when it learns of the exit later is no matter of the network.
    void goes_down(std::size_t node);
    /// The study is over.
    void finish();

    /// See NetworkStudy; `of_every_node`: also those with the label `node`.
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
    std::set<std::size_t> holders_;      ///< up at the command, and still so when they learned of it
    std::set<std::size_t> untold_;       ///< up since the command, without having learned of it
    std::set<std::size_t> cut_off_;      ///< untold in the end, for want of any way to them
    std::set<std::size_t> erasing_;      ///< out of use, not yet erased durably
    std::map<std::size_t, report::Accuracy> before_;
    std::vector<report::Accuracy> lost_;  ///< before less after, of each holder
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
