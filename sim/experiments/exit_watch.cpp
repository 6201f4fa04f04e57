#include "sim/experiments/exit_watch.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <queue>
#include <utility>

#include "sim/report/statistics.hpp"

namespace unlearn::sim::experiments {
namespace {

using protocol::EventKind;

constexpr std::size_t kUnreachable = std::numeric_limits<std::size_t>::max();

/// Returns the hops from a node to all others.
std::vector<std::size_t> distances(const topologies::Graph& graph, std::size_t from) {
    const auto adjacency = graph.adjacency();
    std::vector<std::size_t> distance(graph.size(), kUnreachable);
    std::queue<std::size_t> next;
    distance[from] = 0;
    for (next.push(from); !next.empty(); next.pop()) {
        for (const std::size_t neighbour : adjacency[next.front()]) {
            if (distance[neighbour] != kUnreachable) continue;
            distance[neighbour] = distance[next.front()] + 1;
            next.push(neighbour);
        }
    }
    return distance;
}

report::Accuracy difference(const report::Accuracy& before, const report::Accuracy& after) {
    return {{before.own.main - after.own.main, before.own.ensemble - after.own.ensemble},
            {before.full.main - after.full.main, before.full.ensemble - after.full.ensemble}};
}

}  // namespace

ExitWatch::ExitWatch(const StudyWorld& world, const topologies::Graph& graph, std::size_t leaver,
                     protocol::SteadyTime now, double betweenness, Scorer score)
    : world_(world),
      leaver_(leaver),
      begun_(now),
      degree_(graph.degree(static_cast<topologies::NodeIndex>(leaver))),
      betweenness_(betweenness),
      score_(std::move(score)),
      distance_(distances(graph, leaver)) {
    for (std::size_t node = 0; node < world_.size(); ++node) {
        if (node == leaver_ || !world_.is_up(node)) continue;
        untold_.insert(node);
        if (!holds(node)) continue;
        holders_.insert(node);
        if (!world_.takes_part(node)) continue;
        if (auto scores = score_(node)) before_.emplace(node, *scores);
    }
}

bool ExitWatch::holds(std::size_t node) const {
    if (erasing_.contains(node)) return true;
    const auto held = world_.engine(node).held_seeds();
    return std::any_of(held.begin(), held.end(),
                       [this](const auto& status) { return status.owner == leaver_id(); });
}

void ExitWatch::count_copies(int milliseconds) {
    Copies copies{milliseconds, 0, 0};
    for (std::size_t node = 0; node < world_.size(); ++node) {
        if (node == leaver_ || !world_.is_up(node)) continue;
        const bool used = world_.uses(node, leaver_id());
        copies.used += used ? 1 : 0;
        copies.held += used || holds(node) ? 1 : 0;
    }
    copies_.push_back(copies);
}

void ExitWatch::on_event(std::size_t node, const protocol::Event& event, protocol::SteadyTime now) {
    const double at = std::chrono::duration<double, std::milli>(now - begun_).count();
    if (node == leaver_) {
        if (event.kind == EventKind::receipt_stored)
            if (const auto holder = world_.place_of(event.subject)) answered_.emplace(*holder, at);
        if (event.kind == EventKind::retired) take_receipts();
        return;
    }
    if (event.subject != leaver_id()) return;
    if (event.kind == EventKind::exit_learned) {
        if (event.version != protocol::SeedVersion{0}) erasing_.insert(node);
        learned(node, at);
    } else if (event.kind == EventKind::seed_erased) {
        erasing_.erase(node);
        if (holders_.contains(node)) erased_.emplace(node, at);
    }
}

void ExitWatch::learned(std::size_t node, double at) {
    if (untold_.erase(node) == 0) return;
    learned_.emplace(node, at);
    // The engine reports the exit after it took the seed out of the ensemble.
    if (!holders_.contains(node)) return;
    forgot_.emplace(node, at);
    const auto before = before_.find(node);
    if (before == before_.end() || !world_.takes_part(node)) return;
    if (const auto after = score_(node)) lost_.push_back(difference(before->second, *after));
}

void ExitWatch::goes_down(std::size_t node) {
    erasing_.erase(node);
    if (untold_.erase(node) > 0) holders_.erase(node);
}

void ExitWatch::take_receipts() {
    if (!outcome_) outcome_ = world_.engine(leaver_).own_exit();
}

void ExitWatch::finish() {
    if (world_.is_up(leaver_)) take_receipts();
    set_apart_cut_off();
}

/// Moves untold nodes to `cut_off_` when no chain of running nodes links them to a node that knows of the
/// exit.
void ExitWatch::set_apart_cut_off() {
    std::queue<std::size_t> next;
    std::set<std::size_t> reached;
    for (std::size_t node = 0; node < world_.size(); ++node) {
        if (!world_.is_up(node)) continue;
        if (node != leaver_ && !world_.engine(node).has_tombstone(leaver_id())) continue;
        reached.insert(node);
        next.push(node);
    }
    for (; !next.empty(); next.pop())
        for (const std::size_t neighbour : world_.neighbours(next.front()))
            if (world_.is_up(neighbour) && reached.insert(neighbour).second) next.push(neighbour);
    std::set_difference(untold_.begin(), untold_.end(), reached.begin(), reached.end(),
                        std::inserter(cut_off_, cut_off_.end()));
    for (const std::size_t node : cut_off_)
        untold_.erase(node);
}

std::map<std::string, report::Label> ExitWatch::labels(std::map<std::string, report::Label> more) const {
    more.emplace("leaver", world_.name(leaver_));
    more.emplace("degree", static_cast<double>(degree_));
    more.emplace("betweenness", betweenness_);
    return more;
}

void ExitWatch::add_times(std::vector<report::Row>& rows, const std::string& metric, const Times& times,
                          bool of_every_node) const {
    std::vector<double> sorted;
    for (const auto& [node, at] : times) {
        sorted.push_back(at);
        if (!of_every_node) continue;
        const std::size_t hops = distance_[node];
        const report::Label distance = hops == kUnreachable ? report::Label{std::string("none")}
                                                            : report::Label{static_cast<double>(hops)};
        rows.push_back({metric, at, labels({{"node", world_.name(node)}, {"distance", distance}})});
    }
    if (sorted.empty()) return;
    std::sort(sorted.begin(), sorted.end());
    rows.push_back({metric + "_p50", report::nearest_rank(sorted, 0.5), labels()});
    rows.push_back({metric + "_p99", report::nearest_rank(sorted, 0.99), labels()});
    rows.push_back({metric + "_max", sorted.back(), labels()});
}

void ExitWatch::add_rows(std::vector<report::Row>& rows, bool of_every_node) const {
    add_times(rows, "time_to_forget_ms", forgot_, of_every_node);
    add_times(rows, "time_to_erase_ms", erased_, of_every_node);
    add_times(rows, "time_to_receipt_ms", answered_, of_every_node);
    add_times(rows, "time_to_learn_ms", learned_, of_every_node);
    const auto add = [&](const char* metric, std::size_t value,
                         std::map<std::string, report::Label> more = {}) {
        rows.push_back({metric, static_cast<double>(value), labels(std::move(more))});
    };
    add("holders", holders_.size());
    add("untold", untold_.size());
    add("cut_off", cut_off_.size());
    if (outcome_) {
        std::size_t receipts = 0;
        for (const auto& [holder, recipient] : outcome_->recipients)
            receipts += outcome_->receipts.contains(holder) ? 1 : 0;
        add("recipients", outcome_->recipients.size());
        add("receipts", receipts);
        add("missing", outcome_->recipients.size() - receipts);
    }
    for (const auto& copies : copies_) {
        const report::Label at = static_cast<double>(copies.milliseconds);
        add("residual_copies", copies.held, {{"time_ms", at}, {"state", std::string("held")}});
        add("residual_copies", copies.used, {{"time_ms", at}, {"state", std::string("used")}});
    }
    if (lost_.empty()) return;
    const auto mean = report::mean_of(lost_);
    rows.push_back({"accuracy_lost", mean.own.ensemble, labels({{"scope", std::string("own")}})});
    rows.push_back({"accuracy_lost", mean.full.ensemble, labels({{"scope", std::string("full")}})});
}

}  // namespace unlearn::sim::experiments
