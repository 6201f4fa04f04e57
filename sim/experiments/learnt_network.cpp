#include "sim/experiments/learnt_network.hpp"

#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "node/learning/accuracy.hpp"
#include "sim/run/learn.hpp"

namespace unlearn::sim::experiments {
namespace {

LearntNode learnt(const run::Setup& setup, const run::NodeSetup& node, learning::MainModel main,
                  const learning::Seed& seed) {
    LearntNode out;
    out.name = node.name;
    out.id = node.identity.id();
    const auto main_logits = learning::predict_logits(main.model(), setup.test.inputs());
    out.main_own = learning::own_accuracy(main_logits, setup.test, node.own.class_distribution());
    out.main_full = learning::full_accuracy(main_logits, setup.test);
    out.main_logits = learning::to_vector(main_logits);
    out.seed_logits = learning::to_vector(learning::predict_logits(seed.model(), setup.test.inputs()));
    out.own = learning::OwnPart::make(std::move(main), node.own, node.split.validation, setup.reference);
    out.seed_architecture = seed.architecture().text();
    out.seed_payload = seed.payload();
    return out;
}

}  // namespace

LearntNetwork::LearntNetwork(protocol::NetworkId id, learning::Dataset test, std::vector<LearntNode> nodes)
    : id_(id), test_(std::move(test)), nodes_(std::move(nodes)) {
    for (const auto& node : nodes_)
        seed_logits_.emplace(node.id.bytes(), node.seed_logits);
}

Result<std::shared_ptr<const LearntNetwork>> LearntNetwork::learn(const scenario::Scenario& scenario,
                                                                  report::Progress& progress) {
    auto setup = run::prepare(scenario, {}, run::Violation::none);
    if (!setup) return failed_with(setup.error());
    support::Workers workers(scenario.run.threads);
    const auto main_models = run::train_main_models(scenario.training, *setup, workers, progress);
    if (!main_models) return failed_with(main_models.error());
    const auto seeds = run::distil_seeds(scenario.distillation, *setup, *main_models, workers, progress);
    if (!seeds) return failed_with(seeds.error());
    std::vector<LearntNode> nodes(setup->nodes.size());
    const auto error = workers.for_each(nodes.size(), [&](std::size_t i) -> std::optional<std::string> {
        nodes[i] = learnt(*setup, setup->nodes[i], (*main_models)[i], (*seeds)[i]);
        return std::nullopt;
    });
    if (error) return failed_with(*error);
    return std::shared_ptr<const LearntNetwork>(
        new LearntNetwork(setup->network, std::move(setup->test), std::move(nodes)));
}

Answers LearntNetwork::answers(std::size_t node, const learning::Ensemble& ensemble) const {
    return answers_of(ensemble, nodes_[node].main_logits, seed_logits_);
}

report::Accuracy LearntNetwork::score(std::size_t node, const learning::Ensemble& ensemble) const {
    const LearntNode& asked = nodes_[node];
    const auto accuracy = accuracy_of(ensemble, answers(node, ensemble), test_);
    return {{asked.main_own, accuracy.own}, {asked.main_full, accuracy.full}};
}

}  // namespace unlearn::sim::experiments
