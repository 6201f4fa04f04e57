#include "sim/learn.hpp"

#include <optional>

#include "node/learning/generator.hpp"

namespace unlearn::sim {
namespace {

/// Seeds of streams are taken in the order of nodes, whatever order the workers run in.
std::vector<std::uint64_t> streams_for(const Setup& setup, std::string_view purpose) {
    std::vector<std::uint64_t> streams;
    for (const auto& node : setup.nodes)
        streams.push_back(setup.streams->seed(node.name, purpose));
    return streams;
}

template <typename T>
std::vector<T> all_of(std::vector<std::optional<T>>& made) {
    std::vector<T> out;
    for (auto& one : made)
        out.push_back(std::move(*one));
    return out;
}

}  // namespace

learning::TrainOptions train_options(const TrainingSettings& settings,
                                     const learning::Architecture& architecture) {
    learning::TrainOptions options = learning::default_training(architecture);
    auto& optimisation = options.optimisation;
    optimisation.epochs = settings.epochs.value_or(static_cast<std::uint32_t>(optimisation.epochs));
    optimisation.batch = settings.batch.value_or(static_cast<std::uint32_t>(optimisation.batch));
    optimisation.learning_rate = settings.learning_rate.value_or(optimisation.learning_rate);
    optimisation.weight_decay = settings.weight_decay.value_or(optimisation.weight_decay);
    return options;
}

learning::DistilOptions distil_options(const DistillationSettings& settings) {
    learning::DistilOptions options;
    auto& optimisation = options.optimisation;
    optimisation.epochs = settings.epochs.value_or(static_cast<std::uint32_t>(optimisation.epochs));
    optimisation.batch = settings.batch.value_or(static_cast<std::uint32_t>(optimisation.batch));
    optimisation.learning_rate = settings.learning_rate.value_or(optimisation.learning_rate);
    options.temperature = settings.temperature.value_or(options.temperature);
    return options;
}

tl::expected<std::vector<learning::MainModel>, std::string> train_main_models(
    const TrainingSettings& settings, const Setup& setup, Workers& workers, Progress& progress) {
    std::uint64_t epochs = 0;
    for (const auto& node : setup.nodes)
        epochs +=
            static_cast<std::uint64_t>(train_options(settings, node.main_architecture).optimisation.epochs);
    auto phase = progress.start("train", epochs);
    const auto streams = streams_for(setup, "train");
    std::vector<std::optional<learning::MainModel>> made(setup.nodes.size());
    const auto error = workers.for_each(made.size(), [&](std::size_t i) -> std::optional<std::string> {
        const NodeSetup& node = setup.nodes[i];
        auto main = learning::train(
            node.main_architecture, node.split.train, train_options(settings, node.main_architecture),
            learning::make_generator(streams[i]), [&](const learning::EpochReport&) { phase.advance(); });
        if (!main) return node.name + ": training: " + main.error().message;
        made[i].emplace(std::move(*main));
        return std::nullopt;
    });
    if (error) return tl::unexpected(*error);
    return all_of(made);
}

tl::expected<std::vector<learning::Seed>, std::string> distil_seeds(
    const DistillationSettings& settings, const Setup& setup,
    const std::vector<learning::MainModel>& main_models, Workers& workers, Progress& progress) {
    const auto options = distil_options(settings);
    auto phase = progress.start("distil",
                                setup.nodes.size() * static_cast<std::uint64_t>(options.optimisation.epochs));
    const auto streams = streams_for(setup, "distil");
    std::vector<std::optional<learning::Seed>> made(setup.nodes.size());
    const auto error = workers.for_each(made.size(), [&](std::size_t i) -> std::optional<std::string> {
        const NodeSetup& node = setup.nodes[i];
        auto seed = learning::distil(main_models[i], setup.reference, node.seed_architecture, options,
                                     learning::make_generator(streams[i]),
                                     [&](const learning::EpochReport&) { phase.advance(); });
        if (!seed) return node.name + ": distillation: " + seed.error().message;
        made[i].emplace(std::move(*seed));
        return std::nullopt;
    });
    if (error) return tl::unexpected(*error);
    return all_of(made);
}

}  // namespace unlearn::sim
