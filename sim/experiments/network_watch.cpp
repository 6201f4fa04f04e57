#include "sim/experiments/network_watch.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace unlearn::sim::experiments {
namespace {

using protocol::Kind;
using protocol::NodeId;
using protocol::SteadyTime;

std::map<std::string, report::Label> score_labels(const char* scope, const char* method) {
    return {{"scope", std::string(scope)}, {"method", std::string(method)}};
}

/// Adds four rows: both scopes for both methods.
void add_scores(std::vector<report::Row>& rows, const char* metric, const report::Accuracy& scores,
                const std::map<std::string, report::Label>& labels) {
    const auto add = [&](const char* scope, const char* method, double value) {
        auto all = score_labels(scope, method);
        all.insert(labels.begin(), labels.end());
        rows.push_back({metric, value, std::move(all)});
    };
    add("own", "main", scores.own.main);
    add("own", "ensemble", scores.own.ensemble);
    add("full", "main", scores.full.main);
    add("full", "ensemble", scores.full.ensemble);
}

/// Whether the node has the owner's seed: in use, or held aside by its own judgement.
bool has_seed(const std::vector<protocol::HeldSeedStatus>& held, const NodeId& owner) {
    return std::any_of(held.begin(), held.end(), [&](const auto& status) {
        return status.owner == owner && (status.state == protocol::SeedState::in_use ||
                                         status.state == protocol::SeedState::held_aside);
    });
}

}  // namespace

std::vector<NodeId> resurrected(std::span<const NodeId> exited,
                                const std::function<bool(const NodeId&)>& uses) {
    std::vector<NodeId> out;
    std::copy_if(exited.begin(), exited.end(), std::back_inserter(out), uses);
    return out;
}

NetworkWatch::NetworkWatch(const StudyWorld& world, std::shared_ptr<const LearntNetwork> learnt,
                           support::Workers& workers, SteadyTime patience)
    : world_(world),
      learnt_(std::move(learnt)),
      workers_(workers),
      patience_(patience),
      known_(world.size()) {}

std::vector<std::size_t> NetworkWatch::taking_part() const {
    std::vector<std::size_t> nodes;
    for (std::size_t node = 0; node < world_.size(); ++node)
        if (world_.takes_part(node)) nodes.push_back(node);
    return nodes;
}

std::size_t NetworkWatch::missing_at(std::size_t node, SteadyTime up_before) const {
    if (!world_.takes_part(node) || world_.up_since(node) > up_before) return 0;
    const auto held = world_.engine(node).held_seeds();
    const auto& neighbours = world_.neighbours(node);
    return static_cast<std::size_t>(std::count_if(neighbours.begin(), neighbours.end(), [&](std::size_t i) {
        return world_.takes_part(i) && world_.up_since(i) <= up_before && !has_seed(held, world_.id(i));
    }));
}

std::size_t NetworkWatch::missing_seeds() const {
    std::size_t missing = 0;
    for (std::size_t node = 0; node < world_.size(); ++node)
        missing += missing_at(node, world_.time().now());
    return missing;
}

bool NetworkWatch::is_blocked(std::size_t node) const {
    return missing_at(node, world_.time().now() - patience_) > 0 || !can_predict(node);
}

bool NetworkWatch::can_predict(std::size_t node) const {
    const auto* ensemble = world_.ensemble(node);
    if (ensemble == nullptr) return true;
    return ensemble->predict(learnt_->test().inputs().narrow(0, 1), learning::Prior::own).has_value();
}

std::vector<report::Accuracy> NetworkWatch::scores_of(std::span<const std::size_t> nodes) {
    // These jobs cannot fail.
    static_cast<void>(workers_.for_each(nodes.size(), [&](std::size_t i) -> std::optional<std::string> {
        const std::size_t node = nodes[i];
        // The snapshot is not kept, because that would delay the wiping of its seeds.
        const auto snapshot = world_.ensemble(node)->snapshot();
        auto participants = snapshot->participants();
        auto& known = known_[node];
        if (known && known->participants == participants) return std::nullopt;
        known = Known{std::move(participants), learnt_->score(node, *snapshot)};
        return std::nullopt;
    }));
    std::vector<report::Accuracy> scores;
    for (const std::size_t node : nodes)
        scores.push_back(known_[node]->scores);
    return scores;
}

std::optional<report::Accuracy> NetworkWatch::score(std::size_t node) {
    if (!learnt_) return std::nullopt;
    return scores_of({&node, 1}).front();
}

void NetworkWatch::add_accuracy(double seconds, std::span<const std::size_t> nodes,
                                std::vector<report::Row>& rows) {
    add_scores(rows, "accuracy", report::mean_of(scores_of(nodes)), {{"time_s", seconds}});
}

void NetworkWatch::sample(double seconds, std::vector<report::Row>& rows) {
    const auto nodes = taking_part();
    std::size_t blocked = 0;
    std::size_t aside = 0;
    std::size_t in_use = 0;
    for (const std::size_t node : nodes) {
        blocked += is_blocked(node) ? 1 : 0;
        in_use += world_.engine(node).seeds_in_use().size();
        for (const auto& held : world_.engine(node).held_seeds())
            aside += held.state == protocol::SeedState::held_aside ? 1 : 0;
    }
    most_blocked_ = std::max(most_blocked_, blocked);
    look_for_resurrections();
    const auto add = [&](const char* metric, double value) {
        rows.push_back({metric, value, {{"time_s", seconds}}});
    };
    const auto count = static_cast<double>(nodes.size());
    add("nodes_up", count);
    add("blocked_nodes", static_cast<double>(blocked));
    add("held_aside", static_cast<double>(aside));
    if (nodes.empty()) return;
    add("seeds_in_use", static_cast<double>(in_use) / count);
    if (learnt_) add_accuracy(seconds, nodes, rows);
}

void NetworkWatch::add_node_rows(std::vector<report::Row>& rows) {
    if (!learnt_) return;
    const auto nodes = taking_part();
    const auto scores = scores_of(nodes);
    for (std::size_t i = 0; i < nodes.size(); ++i)
        add_scores(rows, "node_accuracy", scores[i],
                   {{"node", world_.name(nodes[i])},
                    {"degree", static_cast<double>(world_.neighbours(nodes[i]).size())}});
}

void NetworkWatch::on_event(std::size_t node, const protocol::Event& event) {
    const bool comes_to_use =
        event.kind == protocol::EventKind::seed_installed || event.kind == protocol::EventKind::seed_resumed;
    if (comes_to_use && world_.engine(node).has_tombstone(event.subject) && world_.uses(node, event.subject))
        resurrected_.emplace(node, event.subject);
}

void NetworkWatch::look_for_resurrections() {
    for (std::size_t node = 0; node < world_.size(); ++node) {
        if (!world_.is_up(node)) continue;
        for (const auto& owner : resurrected(world_.engine(node).tombstones(),
                                             [&](const NodeId& exited) { return world_.uses(node, exited); }))
            resurrected_.emplace(node, owner);
    }
}

void NetworkWatch::add_bytes(std::vector<report::Row>& rows) const {
    const auto sent = world_.sent();
    std::map<std::string, std::uint64_t> bytes{
        {"control", 0}, {"seed", 0}, {"exit", 0}, {"handshake", sent.handshake_bytes_sent}};
    for (std::size_t number = 0; number < sent.sent.size(); ++number) {
        const auto kind = static_cast<Kind>(number);
        const bool is_seed = kind == Kind::get || kind == Kind::chunk;
        const bool is_exit = kind == Kind::exit || kind == Kind::receipt;
        bytes[is_seed ? "seed" : is_exit ? "exit" : "control"] += sent.sent[number].bytes;
    }
    for (const auto& [kind, count] : bytes)
        rows.push_back({"bytes", static_cast<double>(count), {{"kind", kind}}});
}

void NetworkWatch::add_rows(std::vector<report::Row>& rows) {
    look_for_resurrections();
    rows.push_back({"resurrections", static_cast<double>(resurrected_.size()), {}});
    rows.push_back({"blocked_nodes_most", static_cast<double>(most_blocked_), {}});
    add_bytes(rows);
}

}  // namespace unlearn::sim::experiments
