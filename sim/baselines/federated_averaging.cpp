#include "sim/baselines/federated_averaging.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/data/random.hpp"
#include "sim/baselines/decentralised_sgd.hpp"
#include "sim/baselines/mixing.hpp"

namespace unlearn::sim::baselines {

Result<FederatedAveraging> FederatedAveraging::create(std::vector<Participant> clients,
                                                      const FederatedOptions& options,
                                                      std::uint64_t scenario_seed, Team& team) {
    if (auto fine = check(clients); !fine) return failed_with("FedAvg: " + fine.error().message);
    if (!(options.fraction > 0.0 && options.fraction <= 1.0))
        return failed_with("FedAvg: the fraction of clients must be above 0 and at most 1");
    const ModelKind kind = model_kind(clients, options.local);
    auto trainers = make_trainers(kind, options.local, team.size());
    if (!trainers) return failed_with("FedAvg: " + trainers.error().message);
    auto initial = initial_state(kind, options.local, scenario_seed);
    if (!initial) return failed_with("FedAvg: " + initial.error().message);
    initial->velocity.reset();
    return FederatedAveraging(std::move(clients), options, scenario_seed, team, std::move(*trainers),
                              std::move(*initial));
}

FederatedAveraging::FederatedAveraging(std::vector<Participant> clients, const FederatedOptions& options,
                                       std::uint64_t scenario_seed, Team& team,
                                       std::vector<LocalTrainer> trainers, State initial)
    : clients_(std::move(clients)),
      options_(options),
      scenario_seed_(scenario_seed),
      team_(&team),
      trainers_(std::move(trainers)),
      initial_(std::move(initial)),
      global_(initial_.copy()) {}

Result<void> FederatedAveraging::run(std::int64_t rounds, const RoundProgress& progress) {
    for (std::int64_t i = 1; i <= rounds; ++i) {
        const auto loss = round();
        if (!loss) return failed_with("FedAvg: " + loss.error().message);
        if (progress) progress({i, rounds, *loss});
    }
    return {};
}

std::vector<std::size_t> FederatedAveraging::selected(std::int64_t round) const {
    const auto wanted = static_cast<std::size_t>(
        std::max(1.0, std::round(options_.fraction * static_cast<double>(clients_.size()))));
    std::vector<std::size_t> order(clients_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (wanted == clients_.size()) return order;
    const std::string purpose = "baseline-selection of round " + std::to_string(round);
    std::vector<std::uint64_t> drawn;
    for (const Participant& client : clients_)
        drawn.push_back(
            learning::RandomStream(learning::stream_seed(scenario_seed_, client.name, purpose)).next());
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::tie(drawn[a], clients_[a].name) < std::tie(drawn[b], clients_[b].name);
    });
    order.resize(wanted);
    std::sort(order.begin(), order.end());
    return order;
}

Result<double> FederatedAveraging::round() {
    const auto chosen = selected(global_.rounds + 1);
    std::vector<State> trained(chosen.size());
    std::vector<double> losses(chosen.size());
    const auto learning =
        team_->for_each(chosen.size(), [&](std::size_t worker, std::size_t i) -> std::optional<std::string> {
            trained[i] = global_.copy();
            if (options_.local.momentum > 0.0) trained[i].velocity = at::zeros_like(global_.parameters);
            const auto loss = trainers_[worker].train(clients_[chosen[i]], trained[i], scenario_seed_);
            if (!loss) return loss.error().message;
            losses[i] = *loss;
            trained[i].velocity.reset();
            return std::nullopt;
        });
    if (!learning) return learning;
    const auto averaging = average(chosen, trained);
    if (!averaging) return averaging;

    ++global_.rounds;
    const std::uint64_t sent = 2 * chosen.size() * global_.parameters.nbytes();  // down and up
    cost_ += {1, static_cast<std::int64_t>(chosen.size()), *learning + *averaging, sent};
    if (global_.rounds <= options_.kept_rounds) kept_.push_back(global_.copy());
    return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(chosen.size());
}

Result<double> FederatedAveraging::average(const std::vector<std::size_t>& chosen,
                                           const std::vector<State>& trained) {
    double examples = 0.0;
    for (const std::size_t client : chosen)
        examples += static_cast<double>(clients_[client].rows.size());
    WeightedSum sum;
    for (std::size_t i = 0; i < chosen.size(); ++i)
        sum.emplace_back(i,
                         static_cast<float>(static_cast<double>(clients_[chosen[i]].rows.size()) / examples));
    std::vector<at::Tensor> sources;
    for (const State& state : trained)
        sources.push_back(state.parameters);
    return weighted_sum(sum, sources, global_.parameters, *team_);
}

at::Tensor FederatedAveraging::logits(const at::Tensor& inputs) {
    return trainers_[0].network().logits(global_.parameters, inputs);
}

std::vector<double> FederatedAveraging::scores(const Evaluation& evaluation) {
    const at::Tensor answers = logits(evaluation.test.inputs().rows());
    std::vector<double> scores;
    for (const Participant& client : clients_)
        scores.push_back(evaluation(client.name, answers));
    return scores;
}

State FederatedAveraging::kept_state(std::int64_t most_rounds) const {
    const State* latest = &initial_;
    for (const State& state : kept_)
        if (state.rounds <= most_rounds) latest = &state;
    return latest->copy();
}

std::uint64_t FederatedAveraging::kept_bytes() const {
    std::uint64_t bytes = 0;
    for (const State& state : kept_)
        bytes += state.bytes();
    return bytes;
}

void FederatedAveraging::restore(State state) {
    UNLEARN_ASSERT(state.parameters.numel() == initial_.parameters.numel() && !state.velocity.defined());
    global_ = std::move(state);
    kept_.clear();
}

}  // namespace unlearn::sim::baselines
