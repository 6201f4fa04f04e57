#include "sim/run/learn.hpp"

#include <optional>

#include "node/learning/generator.hpp"

namespace unlearn::sim::run {
namespace {

/// Takes the random seeds in the order of the nodes, whatever order the workers run in.
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

Result<std::vector<learning::MainModel>> train_main_models(const learning::OptimisationSettings& settings,
                                                           const Setup& setup, support::Workers& workers,
                                                           report::Progress& progress) {
    std::vector<learning::TrainOptions> options;
    std::int64_t epochs = 0;
    for (const auto& node : setup.nodes)
        epochs += options.emplace_back(train_options(settings, node.main_architecture)).optimisation.epochs;
    auto phase = progress.start("train", static_cast<std::uint64_t>(epochs));
    const auto streams = streams_for(setup, "train");
    std::vector<std::optional<learning::MainModel>> made(setup.nodes.size());
    const auto error = workers.for_each(made.size(), [&](std::size_t i) -> std::optional<std::string> {
        const NodeSetup& node = setup.nodes[i];
        auto main = learning::learn(node.main_architecture, node.split, options[i],
                                    learning::make_generator(streams[i]),
                                    [&](const learning::EpochReport&) { phase.advance(); });
        if (!main) return node.name + ": training: " + main.error().message;
        made[i].emplace(std::move(*main));
        return std::nullopt;
    });
    if (error) return failed_with(*error);
    return all_of(made);
}

Result<std::vector<learning::Seed>> distil_seeds(const learning::OptimisationSettings& settings,
                                                 const Setup& setup,
                                                 const std::vector<learning::MainModel>& main_models,
                                                 support::Workers& workers, report::Progress& progress) {
    std::vector<learning::DistilOptions> options;
    std::int64_t epochs = 0;
    for (const auto& node : setup.nodes)
        epochs += options.emplace_back(distil_options(settings, node.seed_architecture)).optimisation.epochs;
    auto phase = progress.start("distil", static_cast<std::uint64_t>(epochs));
    const auto streams = streams_for(setup, "distil");
    std::vector<std::optional<learning::Seed>> made(setup.nodes.size());
    const auto error = workers.for_each(made.size(), [&](std::size_t i) -> std::optional<std::string> {
        const NodeSetup& node = setup.nodes[i];
        auto seed = learning::distil(main_models[i], setup.reference, node.seed_architecture, options[i],
                                     learning::make_generator(streams[i]),
                                     [&](const learning::EpochReport&) { phase.advance(); });
        if (!seed) return node.name + ": distillation: " + seed.error().message;
        made[i].emplace(std::move(*seed));
        return std::nullopt;
    });
    if (error) return failed_with(*error);
    return all_of(made);
}

}  // namespace unlearn::sim::run
