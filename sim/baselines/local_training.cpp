#include "sim/baselines/local_training.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <ATen/ATen.h>

#include "node/learning/data/random.hpp"
#include "node/learning/generator.hpp"

namespace unlearn::sim::baselines {

State State::copy() const {
    return {parameters.clone(), velocity.defined() ? velocity.clone() : at::Tensor(), rounds};
}

std::uint64_t State::bytes() const {
    return parameters.nbytes() + (velocity.defined() ? velocity.nbytes() : 0);
}

Result<State> initial_state(const ModelKind& kind, const LocalOptions& options, std::uint64_t scenario_seed) {
    const auto stream = learning::stream_seed(scenario_seed, "", "baseline-initial-weights");
    auto parameters = initial_parameters(kind, learning::make_generator(stream));
    if (!parameters) return failed_with(parameters.error());
    State state{std::move(*parameters), {}, 0};
    if (options.momentum > 0.0) state.velocity = at::zeros_like(state.parameters);
    return state;
}

LocalTrainer::LocalTrainer(const ModelKind& kind, const LocalOptions& options,
                           std::unique_ptr<FlatNetwork> network)
    : options_(options),
      network_(std::move(network)),
      inputs_(
          at::empty({options.batch, kind.shape.channels, kind.shape.height, kind.shape.width}, at::kFloat)),
      labels_(static_cast<std::size_t>(options.batch)) {}

Result<LocalTrainer> LocalTrainer::create(const ModelKind& kind, const LocalOptions& options) {
    if (options.epochs < 1 || options.batch < 1)
        return failed_with("local epochs and batch must be at least 1");
    if (!(options.learning_rate >= 0.0) || !(options.momentum >= 0.0 && options.momentum < 1.0))
        return failed_with("the learning rate must be at least 0, momentum in [0, 1)");
    auto network = make_network(kind);
    if (!network) return failed_with(network.error());
    return LocalTrainer(kind, options, std::move(*network));
}

Result<double> LocalTrainer::train(const Participant& participant, State& state,
                                   std::uint64_t scenario_seed) {
    ++state.rounds;
    learning::RandomStream random(learning::stream_seed(
        scenario_seed, participant.name, "baseline-order of round " + std::to_string(state.rounds)));
    double loss = 0.0;
    for (std::int64_t epoch = 0; epoch < options_.epochs; ++epoch) {
        order_ = participant.rows;
        random.shuffle(std::span(order_));
        const auto batch = static_cast<std::size_t>(options_.batch);
        for (std::size_t first = 0; first < order_.size(); first += batch) {
            const std::size_t count = std::min(batch, order_.size() - first);
            loss += step(gather(participant, first, count), state) * static_cast<double>(count);
        }
    }
    loss /= static_cast<double>(order_.size()) * static_cast<double>(options_.epochs);
    if (!std::isfinite(loss))
        return failed_with(participant.name + ": the loss is not finite in round " +
                           std::to_string(state.rounds) + "; lower the learning rate");
    return loss;
}

// Copies the next examples of `order_` into one batch.
Batch LocalTrainer::gather(const Participant& participant, std::size_t first, std::size_t count) {
    const auto width = static_cast<std::size_t>(participant.data.shape().size());
    const float* inputs = participant.data.inputs().rows().data_ptr<float>();
    const auto* labels = participant.data.labels().data_ptr<std::int64_t>();
    float* out = inputs_.data_ptr<float>();
    for (std::size_t i = 0; i < count; ++i, out += width) {
        const std::size_t row = order_[first + i];
        std::memcpy(out, inputs + row * width, width * sizeof(float));
        labels_[i] = labels[row];
    }
    return {inputs_.narrow(0, 0, static_cast<std::int64_t>(count)), labels_.data()};
}

double LocalTrainer::step(const Batch& batch, State& state) {
    if (!state.velocity.defined())
        return network_->add_gradient(state.parameters, batch, state.parameters, 1.0,
                                      -options_.learning_rate);
    const double loss =
        network_->add_gradient(state.parameters, batch, state.velocity, options_.momentum, 1.0);
    state.parameters.add_(state.velocity, -options_.learning_rate);
    return loss;
}

Result<std::vector<LocalTrainer>> make_trainers(const ModelKind& kind, const LocalOptions& options,
                                                std::size_t workers) {
    std::vector<LocalTrainer> trainers;
    for (std::size_t i = 0; i < workers; ++i) {
        auto trainer = LocalTrainer::create(kind, options);
        if (!trainer) return failed_with(trainer.error());
        trainers.push_back(std::move(*trainer));
    }
    return trainers;
}

}  // namespace unlearn::sim::baselines
