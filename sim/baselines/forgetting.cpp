#include "sim/baselines/forgetting.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>

namespace unlearn::sim::baselines {
namespace {

using topologies::Graph;
using topologies::NodeIndex;

tl::unexpected<Error> fail(const std::string& why) {
    return failed_with("forgetting: " + why);
}

constexpr std::int64_t kUnreachable = INT64_MAX;

/// Returns the number of hops from `start` to every node.
std::vector<std::int64_t> hops_from(const Graph& graph, NodeIndex start) {
    const auto adjacency = graph.adjacency();
    std::vector<std::int64_t> hops(graph.size(), kUnreachable);
    std::vector<NodeIndex> queue{start};
    hops[start] = 0;
    for (std::size_t next = 0; next < queue.size(); ++next) {
        for (const NodeIndex near : adjacency[queue[next]]) {
            if (hops[near] != kUnreachable) continue;
            hops[near] = hops[queue[next]] + 1;
            queue.push_back(near);
        }
    }
    return hops;
}

/// Returns the connected parts of a graph, each with its nodes in the graph's order.
std::vector<Graph> parts_of(const Graph& graph) {
    constexpr std::size_t kNone = SIZE_MAX;
    std::vector<std::size_t> part(graph.size(), kNone);
    std::vector<NodeIndex> position(graph.size());
    std::vector<Graph> parts;
    for (NodeIndex node = 0; node < graph.size(); ++node) {
        if (part[node] == kNone) {
            const auto hops = hops_from(graph, node);
            for (NodeIndex other = node; other < graph.size(); ++other)
                if (hops[other] != kUnreachable) part[other] = parts.size();
            parts.emplace_back();
        }
        position[node] = static_cast<NodeIndex>(parts[part[node]].size());
        parts[part[node]].names.push_back(graph.names[node]);
    }
    for (const auto& [a, b] : graph.edges)
        parts[part[a]].edges.emplace_back(position[a], position[b]);
    return parts;
}

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Trains until the mean score reaches the target, or until `most_rounds` are over.
template <typename Network>
Result<Recovery> recover(Network& network, double score_before, const ForgettingOptions& options,
                         const Evaluation& evaluation) {
    Recovery recovery;
    recovery.score_before = score_before;
    recovery.target = options.share * score_before;
    std::int64_t rounds = 0;
    while (true) {
        const Result<std::vector<double>> scores = network.scores(evaluation);
        if (!scores) return fail(scores.error().message);
        recovery.score = mean(*scores);
        if (rounds == 0) recovery.score_restored = recovery.score;
        recovery.reached = recovery.score >= recovery.target;
        if (options.progress) options.progress(rounds, recovery.score, recovery.target);
        if (recovery.reached || rounds >= options.most_rounds) break;
        const std::int64_t more = std::min(options.rounds_a_check, options.most_rounds - rounds);
        if (const auto done = network.run(more); !done) return fail(done.error().message);
        rounds += more;
    }
    recovery.cost = network.cost();
    return recovery;
}

/// Returns the state that a survivor goes back to. If empty, all begin with the initial state.
using StateOf = std::function<State(std::size_t node_in_trained)>;

Result<Part> recover_part(DecentralisedSgd& trained, Graph graph, const std::vector<double>& scores_before,
                          const StateOf& state_of, const ForgettingOptions& options,
                          const Evaluation& evaluation) {
    std::vector<std::size_t> origin;
    std::vector<Participant> participants;
    std::vector<double> before;
    for (const std::string& name : graph.names) {
        origin.push_back(*trained.graph().index_of(name));
        participants.push_back(trained.participants()[origin.back()]);
        before.push_back(scores_before[origin.back()]);
    }
    DecentralisedOptions same = trained.options();
    same.kept_rounds = 0;
    auto network = DecentralisedSgd::create(std::move(graph), std::move(participants), same,
                                            trained.scenario_seed(), trained.team());
    if (!network) return fail(network.error().message);
    for (std::size_t i = 0; state_of && i < origin.size(); ++i)
        network->restore(i, state_of(origin[i]));
    const auto recovery = recover(*network, mean(before), options, evaluation);
    if (!recovery) return failed_with(recovery.error());
    return Part{std::move(*network), *recovery};
}

Recovery summary_of(const std::vector<Part>& parts, double share) {
    Recovery all;
    double nodes = 0.0;
    std::int64_t longest = 0;
    all.reached = true;
    for (const auto& [network, recovery] : parts) {
        const auto weight = static_cast<double>(network.size());
        nodes += weight;
        all.score_before += weight * recovery.score_before;
        all.score_restored += weight * recovery.score_restored;
        all.score += weight * recovery.score;
        all.reached = all.reached && recovery.reached;
        all.cost += recovery.cost;
        longest = std::max(longest, recovery.cost.rounds);
    }
    all.score_before /= nodes;
    all.score_restored /= nodes;
    all.score /= nodes;
    all.target = share * all.score_before;
    all.cost.rounds = longest;  // parts learn at the same time
    return all;
}

Result<DecentralisedForgetting> recover_all(DecentralisedSgd& trained, const std::string& leaver,
                                            const StateOf& state_of, const ForgettingOptions& options,
                                            const Evaluation& evaluation) {
    if (options.rounds_a_check < 1) return fail("there must be at least 1 round between two checks");
    if (trained.size() < 2) return fail("without " + leaver + " nobody is left");
    const auto without = trained.graph().induced_subgraph_without(leaver);
    if (!without) return fail(without.error().message);
    const auto before = trained.scores(evaluation);
    if (!before) return fail(before.error().message);
    DecentralisedForgetting out;
    for (Graph& graph : parts_of(*without)) {
        auto part = recover_part(trained, std::move(graph), *before, state_of, options, evaluation);
        if (!part) return failed_with(part.error());
        out.parts.push_back(std::move(*part));
    }
    out.all = summary_of(out.parts, options.share);
    return out;
}

Result<FederatedForgetting> recover_server(FederatedAveraging& trained, const std::string& leaver,
                                           const std::optional<State>& restored,
                                           const ForgettingOptions& options, const Evaluation& evaluation) {
    if (options.rounds_a_check < 1) return fail("there must be at least 1 round between two checks");
    std::vector<Participant> survivors;
    std::vector<double> before;
    const auto scores = trained.scores(evaluation);
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (trained.clients()[i].name == leaver) continue;
        survivors.push_back(trained.clients()[i]);
        before.push_back(scores[i]);
    }
    if (survivors.size() == scores.size()) return fail("there is no client " + leaver);
    if (survivors.empty()) return fail("without " + leaver + " nobody is left");
    FederatedOptions same = trained.options();
    same.kept_rounds = 0;
    auto network =
        FederatedAveraging::create(std::move(survivors), same, trained.scenario_seed(), trained.team());
    if (!network) return fail(network.error().message);
    if (restored) network->restore(restored->copy());
    const auto recovery = recover(*network, mean(before), options, evaluation);
    if (!recovery) return failed_with(recovery.error());
    return FederatedForgetting{std::move(*network), *recovery, {}};
}

}  // namespace

std::vector<std::int64_t> clean_rounds(const Graph& graph, NodeIndex leaver) {
    auto rounds = hops_from(graph, leaver);
    for (std::int64_t& hops : rounds)
        if (hops != kUnreachable) hops = std::max<std::int64_t>(0, hops - 1);
    return rounds;
}

Result<DecentralisedForgetting> retrain_without(DecentralisedSgd& trained, const std::string& leaver,
                                                const ForgettingOptions& options,
                                                const Evaluation& evaluation) {
    return recover_all(trained, leaver, {}, options, evaluation);
}

Result<DecentralisedForgetting> roll_back_without(DecentralisedSgd& trained, const std::string& leaver,
                                                  const ForgettingOptions& options,
                                                  const Evaluation& evaluation) {
    const auto index = trained.graph().index_of(leaver);
    if (!index) return fail("there is no node " + leaver);
    const auto clean = clean_rounds(trained.graph(), *index);
    Restored restored{0, trained.kept_bytes()};
    const auto state_of = [&](std::size_t node) {
        const State& now = trained.state(node);
        State state = now.rounds <= clean[node] ? now.copy() : trained.kept_state(node, clean[node]);
        restored.node_rounds += state.rounds;
        return state;
    };
    auto out = recover_all(trained, leaver, state_of, options, evaluation);
    if (out) out->restored = restored;
    return out;
}

std::int64_t clean_rounds(const FederatedAveraging& trained, const std::string& leaver) {
    for (std::int64_t round = 1; round <= trained.state().rounds; ++round)
        for (const std::size_t client : trained.selected(round))
            if (trained.clients()[client].name == leaver) return round - 1;
    return trained.state().rounds;
}

Result<FederatedForgetting> retrain_without(FederatedAveraging& trained, const std::string& leaver,
                                            const ForgettingOptions& options, const Evaluation& evaluation) {
    return recover_server(trained, leaver, std::nullopt, options, evaluation);
}

Result<FederatedForgetting> roll_back_without(FederatedAveraging& trained, const std::string& leaver,
                                              const ForgettingOptions& options,
                                              const Evaluation& evaluation) {
    const std::int64_t clean = clean_rounds(trained, leaver);
    const State state = clean == trained.state().rounds ? trained.state() : trained.kept_state(clean);
    auto out = recover_server(trained, leaver, state, options, evaluation);
    if (!out) return out;
    Restored restored{0, trained.kept_bytes()};
    for (std::int64_t round = 1; round <= state.rounds; ++round)
        restored.node_rounds += static_cast<std::int64_t>(trained.selected(round).size());
    out->restored = restored;
    return out;
}

}  // namespace unlearn::sim::baselines
