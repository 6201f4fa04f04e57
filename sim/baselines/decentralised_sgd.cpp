#include "sim/baselines/decentralised_sgd.hpp"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"

namespace unlearn::sim::baselines {

ModelKind model_kind(const std::vector<Participant>& participants, const LocalOptions& options) {
    return {options.architecture, participants.at(0).data.shape(), participants[0].data.classes()};
}

Result<DecentralisedSgd> DecentralisedSgd::create(topologies::Graph graph,
                                                  std::vector<Participant> participants,
                                                  const DecentralisedOptions& options,
                                                  std::uint64_t scenario_seed, Team& team) {
    if (auto fine = check(participants); !fine) return failed_with("D-PSGD: " + fine.error().message);
    const auto is_named = [](const Participant& one, const std::string& name) { return one.name == name; };
    if (!std::equal(participants.begin(), participants.end(), graph.names.begin(), graph.names.end(),
                    is_named))
        return failed_with("D-PSGD: the participants are not the graph's nodes in their order");
    const ModelKind kind = model_kind(participants, options.local);
    auto trainers = make_trainers(kind, options.local, team.size());
    if (!trainers) return failed_with("D-PSGD: " + trainers.error().message);
    const auto initial = initial_state(kind, options.local, scenario_seed);
    if (!initial) return failed_with("D-PSGD: " + initial.error().message);
    return DecentralisedSgd(std::move(graph), std::move(participants), options, scenario_seed, team,
                            std::move(*trainers), *initial);
}

DecentralisedSgd::DecentralisedSgd(topologies::Graph graph, std::vector<Participant> participants,
                                   const DecentralisedOptions& options, std::uint64_t scenario_seed,
                                   Team& team, std::vector<LocalTrainer> trainers, const State& initial)
    : graph_(std::move(graph)),
      participants_(std::move(participants)),
      options_(options),
      scenario_seed_(scenario_seed),
      team_(&team),
      trainers_(std::move(trainers)),
      weights_(mixing_weights(graph_)),
      directed_edges_(2 * graph_.edges.size()),
      initial_(initial),
      kept_(participants_.size()) {
    for (std::size_t i = 0; i < size(); ++i)
        states_.push_back(initial.copy());
}

Result<void> DecentralisedSgd::run(std::int64_t rounds, const RoundProgress& progress) {
    for (std::int64_t i = 1; i <= rounds; ++i) {
        const auto loss = round();
        if (!loss) return failed_with("D-PSGD: " + loss.error().message);
        if (progress) progress({i, rounds, *loss});
    }
    return {};
}

Result<double> DecentralisedSgd::round() {
    std::vector<double> losses(size());
    const auto learning =
        team_->for_each(size(), [&](std::size_t worker, std::size_t i) -> std::optional<std::string> {
            const auto loss = trainers_[worker].train(participants_[i], states_[i], scenario_seed_);
            if (!loss) return loss.error().message;
            losses[i] = *loss;
            return std::nullopt;
        });
    if (!learning) return learning;
    std::vector<at::Tensor> vectors;
    for (const State& state : states_)
        vectors.push_back(state.parameters);
    const auto averaging = mix(weights_, vectors, *team_);
    if (!averaging) return averaging;

    cost_ += {1, static_cast<std::int64_t>(size()), *learning + *averaging,
              directed_edges_ * initial_.parameters.nbytes()};
    keep();
    return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(size());
}

void DecentralisedSgd::keep() {
    for (std::size_t i = 0; i < size(); ++i)
        if (states_[i].rounds <= options_.kept_rounds) kept_[i].push_back(states_[i].copy());
}

at::Tensor DecentralisedSgd::logits(std::size_t node, const at::Tensor& inputs) {
    UNLEARN_ASSERT(node < size());
    return trainers_[0].network().logits(states_[node].parameters, inputs);
}

Result<std::vector<double>> DecentralisedSgd::scores(const Evaluation& evaluation) {
    std::vector<double> scores(size());
    const auto done =
        team_->for_each(size(), [&](std::size_t worker, std::size_t i) -> std::optional<std::string> {
            const auto answers =
                trainers_[worker].network().logits(states_[i].parameters, evaluation.test.inputs().rows());
            scores[i] = evaluation(participants_[i].name, answers);
            return std::nullopt;
        });
    if (!done) return failed_with("D-PSGD: " + done.error().message);
    return scores;
}

State DecentralisedSgd::kept_state(std::size_t node, std::int64_t most_rounds) const {
    const State* latest = &initial_;
    for (const State& state : kept_[node])
        if (state.rounds <= most_rounds) latest = &state;
    return latest->copy();
}

std::uint64_t DecentralisedSgd::kept_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& states : kept_)
        for (const State& state : states)
            bytes += state.bytes();
    return bytes;
}

void DecentralisedSgd::restore(std::size_t node, State state) {
    UNLEARN_ASSERT(node < size() && state.parameters.numel() == initial_.parameters.numel());
    UNLEARN_ASSERT(state.velocity.defined() == initial_.velocity.defined());
    states_[node] = std::move(state);
    kept_[node].clear();
}

}  // namespace unlearn::sim::baselines
